"""What a run reads as it learns: a fixed batch of pictures at every evaluation, the worst lines, and a page of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glyphline.evaluation.report import data_uri, differences, worst_lines
from glyphline.evaluation.scores import Score
from glyphline.images import to_grey
from glyphline.records import Sample

SHOWN, WORST = 8, 8
"""Lines of a validation set whose readings are kept: the first ones, and those with most errors."""


class ReadSamples:
    """Keeps the readings of each evaluation in `samples.jsonl` of the run's folder; shows them to TensorBoard."""

    def __init__(self, folder: Path, validation: Mapping[str, Sequence[Sample]]) -> None:
        self.path = folder / "samples.jsonl"
        self.validation = validation
        self.pictures = {name: {sample.id: sample.image for sample in rows} for name, rows in validation.items()}

    def note(self, step: int, name: str, scores: Mapping[str, Score]) -> None:
        """Add what the modes read at a step; what a resumed run had noted from this step on is replaced."""
        first = next(iter(scores.values()))
        read = {mode: {line.id: line.prediction for line in score.lines} for mode, score in scores.items()}

        def row(line: Any) -> dict[str, Any]:  # noqa: ANN401
            readings = {mode: lines[line.id] for mode, lines in read.items()}
            return {"id": line.id, "reference": line.reference, "readings": readings}

        entry = {
            "step": step,
            "set": name,
            "lines": [row(line) for line in first.lines[:SHOWN]],
            "worst": [row(line) for line in worst_lines(first.lines, WORST)],
        }
        kept = [old for old in self.entries() if old["step"] < step or (old["step"] == step and old["set"] != name)]
        beside = self.path.with_suffix(".part")
        beside.write_text(
            "".join(json.dumps(old, ensure_ascii=False) + "\n" for old in [*kept, entry]), encoding="utf-8"
        )
        beside.replace(self.path)

    def entries(self) -> list[dict[str, Any]]:
        """Return what was noted so far, in order."""
        if not self.path.exists():
            return []
        return [json.loads(row) for row in self.path.read_text(encoding="utf-8").splitlines()]

    def show(self, writer: Any, step: int) -> None:  # noqa: ANN401
        """Write the fixed pictures and their readings of a step to a TensorBoard writer."""
        for entry in self.entries():
            if entry["step"] != step:
                continue
            pictures = [self.pictures[entry["set"]][line["id"]] for line in entry["lines"]]
            writer.add_image(f"samples/{entry['set']}", stack(pictures), step, dataformats="HW")
            writer.add_text(f"samples/{entry['set']}", table(entry["lines"]), step)
            writer.add_text(f"worst/{entry['set']}", table(entry["worst"]), step)

    def sections(self) -> list[dict[str, Any]]:
        """Return the newest readings of each set with their pictures, as the page shows them."""
        newest = {entry["set"]: entry for entry in self.entries()}
        return [
            {
                "name": name,
                "step": entry["step"],
                "groups": [(title, [self._card(name, line) for line in entry[key]]) for title, key in _GROUPS],
            }
            for name, entry in newest.items()
            if name in self.pictures
        ]

    def _card(self, name: str, line: Mapping[str, Any]) -> dict[str, Any]:
        picture = self.pictures[name].get(line["id"])
        readings = {mode: differences(line["reference"], text)[1] for mode, text in line["readings"].items()}
        return {
            "picture": "" if picture is None else data_uri(picture),
            "reference": line["reference"],
            "readings": readings,
        }


_GROUPS = (("the same lines at every evaluation", "lines"), ("most errors", "worst"))


def stack(pictures: Sequence[np.ndarray], gap_px: int = 4) -> np.ndarray:
    """Return pictures below one another as one grey picture `(H, W)`, white between and beside them."""
    greys = [to_grey(picture) for picture in pictures]
    sheet = np.full((sum(g.shape[0] + gap_px for g in greys), max(g.shape[1] for g in greys)), 255, np.uint8)
    top = 0
    for grey in greys:
        sheet[top : top + grey.shape[0], : grey.shape[1]] = grey
        top += grey.shape[0] + gap_px
    return sheet


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return references and readings as a Markdown table, every text as code so that nothing in it is markup."""
    modes = list(lines[0]["readings"])
    rows = [["reference", *modes], ["---"] * (len(modes) + 1)]
    rows += [[_code(line["reference"]), *(_code(line["readings"][mode]) for mode in modes)] for line in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _code(text: str) -> str:
    shown = text.replace("|", "¦").replace("\n", " ⏎ ")
    return f"`` {shown} ``"


def write_page(path: Path, title: str, facts: Mapping[str, Any], samples: ReadSamples, curves: Path) -> None:
    """Write the run's page: self-contained HTML with settings, data and their hashes, curves and readings."""
    import base64

    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("glyphline.training"), autoescape=True, undefined=StrictUndefined)
    environment.filters["pretty"] = lambda value: json.dumps(value, ensure_ascii=False, indent=1)
    drawn = base64.b64encode(curves.read_bytes()).decode() if curves.exists() else ""
    page = environment.get_template("run.html").render(title=title, curves=drawn, sections=samples.sections(), **facts)
    beside = path.with_suffix(".part")
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)
