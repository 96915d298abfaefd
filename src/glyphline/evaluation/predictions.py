"""predictions.jsonl: one reading a line, as `score` writes it and as other readers may write it to be compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from glyphline.evaluation.metrics import count_errors
from glyphline.evaluation.scores import LineResult, Score
from glyphline.settings import InputError
from glyphline.text import TextRules


def to_json(line: LineResult, mode: str) -> str:
    """Return one line's record: its texts, where it is from, and its edits."""
    return json.dumps(
        {
            "id": line.id,
            "mode": mode,
            "reference": line.reference,
            "prediction": line.prediction,
            "confidence": round(line.confidence, 6),
            "language": line.language,
            "source": line.source,
            "group": line.group,
            "edits": line.errors.edits["cer"],
            "length": line.errors.lengths["cer"],
        },
        ensure_ascii=False,
    )


def read_predictions(path: str, ids: Sequence[str] = (), rules: TextRules | None = None) -> list[Score]:
    """Read predictions.jsonl as one score a mode; only `id`, `reference` and `prediction` must be there.

    With `ids` the lines come in that order. InputError where the file is damaged or a line is missing.
    """
    try:
        rows = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    modes: dict[str, dict[str, LineResult]] = {}
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            line, mode = _parse(json.loads(row), rules)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: line {number}: not a prediction ({error!r})") from error
        modes.setdefault(mode, {})[line.id] = line
    if not modes:
        raise InputError(f"{path}: holds no predictions")
    for mode, lines in modes.items():
        absent = [name for name in ids if name not in lines]
        if absent:
            raise InputError(f"{path}: mode {mode!r} lacks {len(absent)} of {len(ids)} lines, e.g. {absent[0]!r}")
    return [Score(mode, [lines[name] for name in (ids or lines)]) for mode, lines in modes.items()]


def _parse(row: dict, rules: TextRules | None) -> tuple[LineResult, str]:
    reference, prediction = str(row["reference"]), str(row["prediction"])
    errors = count_errors(reference, prediction, rules)
    where = (str(row.get(key, "")) for key in ("language", "source", "group"))
    confidence = float(row.get("confidence", 0.0))
    return LineResult(str(row["id"]), reference, prediction, confidence, *where, errors), str(row.get("mode", "auto"))
