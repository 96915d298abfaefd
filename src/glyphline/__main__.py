"""The command line: `glyphline COMMAND …`. Only the chosen command is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from glyphline import __version__
from glyphline.settings import EXIT_DONE, EXIT_USAGE, suggest

COMMANDS = {
    "collect": ("glyphline.corpus.collect", "running text -> a corpus of clean lines"),
    "render": ("glyphline.render.job", "a corpus -> line images"),
    "fonts": ("glyphline.render.specimen", "what the fonts at hand can and cannot write"),
    "prepare": ("glyphline.handwriting.prepare", "a handwriting data set -> line images"),
    "doctor": ("glyphline.training.doctor", "check a training configuration before time is spent on it"),
    "train": ("glyphline.training.run", "line images -> a model (stage 1 and stage 2)"),
    "tune": ("glyphline.training.tuning", "how a model reads: with which texts in mind, and when twice"),
    "score": ("glyphline.evaluation.run", "a model and line images -> CER, WER and a report"),
    "read": ("glyphline.delivery.read", "pictures of lines -> text"),
    "publish": ("glyphline.delivery.publish", "a model -> a folder ready for the hub"),
}


def usage() -> str:
    """Return the overview that `glyphline --help` prints."""
    rows = "\n".join(f"  {name:<10}{what}" for name, (_, what) in COMMANDS.items())
    return f"usage: glyphline COMMAND [options]\n\n{rows}\n\nglyphline COMMAND --help shows the options and an example."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command named by the first argument; the exit status is 0 only when its job was done."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(usage() + "\n")
        return EXIT_DONE if arguments else EXIT_USAGE
    if arguments[0] == "--version":
        sys.stdout.write(f"glyphline {__version__}\n")
        return EXIT_DONE
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"glyphline: error: no command {arguments[0]!r}{suggest(arguments[0], list(COMMANDS))}\n")
        return EXIT_USAGE
    return importlib.import_module(COMMANDS[arguments[0]][0]).main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main())
