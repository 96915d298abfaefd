"""What each choice of the crnn family does: same seed, same lines, same steps, one change at a time.

    python benchmarks/crnn.py --corpus CORPUS --fonts FOLDER... [--variants crnn "no shortcut"]

CORPUS is a folder made by `glyphline collect`; lines are rendered on the fly with the `clean` preset, first as pieces
of one to four letters, then whole; the named test families of fonts are kept apart, and texts that training never saw
are read. `32 columns` squeezes every line into 32 columns, as one of the recognisers that this project follows did. For
each variant: CER over graphemes along the best path and by beam search, processor time a line of training and of
reading. Finished runs under --output are not run again. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from training_ablations import compare, options, render_lines

from glyphline.settings import build

LINE = {"mode": "line", "height": 32, "width": 640, "width_step": 32}
VARIANTS: dict[str, dict[str, Any]] = {
    "crnn": {},
    "no shortcut": {"options": {"shortcut_weight": 0.0}},
    "columns of 4": {"options": {"column_width": 4}},
    "columns of 16": {"options": {"column_width": 16}},
    "columns of 32": {"options": {"column_width": 32}},
    "32 columns": {"canvas": {"mode": "squash", "height": 32, "width": 256}},
    "whole lines": {"pieces": 0},
    "two layers": {"options": {"lstm_layers": 2}},
}
"""What differs from the first: model options, canvas, letters of the first pieces (0: whole lines from the start)."""


def settings_of(variant: str, asked: argparse.Namespace) -> Any:  # noqa: ANN401
    """Return the TrainSettings of a variant."""
    from glyphline.training.settings import TrainSettings

    change = VARIANTS[variant]
    recipe = {"fonts": {"exclude": asked.test_families}}
    common = {"fonts": asked.fonts, "corpus": asked.corpus, "preset": "clean"}
    first = {**common, "pieces": change.get("pieces", 4), "recipe": {**recipe, "fit": "ink", "effects": []}, "end": 0.5}
    mapping = {
        "output": str(Path(asked.output) / variant.replace(" ", "_")),
        "model": {
            "family": "crnn",
            "canvas": change.get("canvas", LINE),
            "max_length": 48,
            "options": {"lstm_size": 256, "lstm_layers": 1} | change.get("options", {}),
        },
        "data": {
            "train": [first, {**common, "recipe": recipe, "begin": 0.5}],
            "validation": {"seen": {"lines": str(Path(asked.output) / "validation"), "limit": 200}},
        },
        "optimisation": {"steps": asked.steps, "batch_size": 16, "learning_rate": 2e-3},
        "control": {"evaluate_every": asked.steps, "log_every": max(1, asked.steps // 8), "report_to": []},
        "resume": True,
        "threads": asked.threads,
        "device": asked.device,
    }
    return build(TrainSettings, mapping, variant)


def run(variant: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Train a variant unless it is there, and read the test lines by every mode."""
    from glyphline.evaluation.scores import score_modes
    from glyphline.manifest import read_lines
    from glyphline.models import load_recogniser
    from glyphline.training import run as training

    settings = settings_of(variant, asked)
    training.quieten()
    timing = Path(settings.output) / "processor_s.json"
    begun, started = Path(settings.output).exists(), time.process_time()
    assert training.train(settings) == 0
    if not begun:  # the time of a run that was interrupted is not known
        timing.write_text(json.dumps(time.process_time() - started))
    recogniser = load_recogniser(settings.output, asked.device)
    lines = 16 * asked.steps
    found: dict[str, Any] = {"lines": lines}
    if timing.exists():
        found["train ms/line"] = round(1000 * json.loads(timing.read_text()) / lines, 1)
    found["parameters"] = sum(p.numel() for p in recogniser.parameters())
    for name in ("test_seen", "test_unseen"):
        samples = list(read_lines(str(Path(asked.output) / name), "test"))
        for mode in ("ctc", "beam", "auto"):
            started = time.process_time()
            found[f"{name} {mode}"] = round(score_modes(recogniser, samples, (mode,))[mode].cer, 4)
            found[f"{mode} ms/line"] = round(1000 * (time.process_time() - started) / len(samples), 1)
    return found


def main() -> None:
    """Train and compare."""
    asked = options(__doc__, VARIANTS, "runs/crnn", 1000).parse_args()
    render_lines(asked)
    columns = ("test_seen ctc", "test_seen beam", "test_unseen ctc", "test_unseen beam", "train ms/line",
               "ctc ms/line", "beam ms/line")  # fmt: skip
    compare(run, asked, columns)


if __name__ == "__main__":
    main()
