"""The list of commands and options that users may rely on: `python tests/freeze_options.py` writes it anew.

A change of the list is a change of the interface: it is made on purpose, and told in CHANGELOG.md.
"""

import importlib
from pathlib import Path

from glyphline.__main__ import COMMANDS
from glyphline.arguments import option_names

FROZEN = Path(__file__).with_name("frozen_options.txt")


def block(command):
    """Return a command, its options and its other spellings, one to a line."""
    main = importlib.import_module(COMMANDS[command][0]).main
    parser = main.parser()
    bare = [f"  {action.dest}…" for action in parser._actions if not action.option_strings]
    options = [f"  {name}" for name in option_names(parser) if not name.endswith("+")]
    other = [f"  {old} = {new or 'a bare word'}" for old, new in sorted(main.aliases.items())]
    return "\n".join([command, *bare, *options, *other]) + "\n"


def listing():
    """Return the blocks of all commands."""
    return "\n".join(block(command) for command in COMMANDS)


if __name__ == "__main__":
    FROZEN.write_text(listing(), encoding="utf-8")
