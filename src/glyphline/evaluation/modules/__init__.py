"""The measures as local modules of Hugging Face `evaluate`, which need no network:

    evaluate.load(module_path("cer")).compute(references=[…], predictions=[…])

Each gives the corpus-level value of `metrics.summarise`; text rules other than the defaults go in as `rules={…}`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import evaluate

from glyphline.evaluation.metrics import count_errors, summarise
from glyphline.settings import InputError, suggest
from glyphline.text import TextRules

NAMES = ("cer", "wer", "cer_no_space", "cer_jamo", "exact", "normalised_distance")
"""The modules, named as the measures are in metrics.json."""


def module_path(name: str) -> str:
    """Return the folder of a module, for `evaluate.load`. InputError for a name that is none."""
    if name not in NAMES:
        raise InputError(f"no measure called {name!r}{suggest(name, NAMES)}")
    return str(Path(__file__).parent / name)


class LineMeasure(evaluate.Metric):
    """A measure over lines; `measure` names it and the key of the result."""

    measure = ""
    description = ""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=self.description,
            citation="",
            inputs_description="references and predictions: one text a line; rules: fields of glyphline.text.TextRules",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self, predictions: list[str], references: list[str], rules: dict[str, Any] | None = None
    ) -> dict[str, float]:
        chosen = TextRules(**(rules or {}))
        lines = [count_errors(ours, read, chosen) for ours, read in zip(references, predictions, strict=True)]
        found = summarise(lines, resamples=0)
        # Without Hangul, jamo are graphemes.
        return {self.measure: found.get(self.measure, found["cer"]).value}
