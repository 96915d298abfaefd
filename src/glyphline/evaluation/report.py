"""The HTML page of a score: self-contained, escaped, with the worst lines as pictures beside their readings."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphline.evaluation.scores import LineResult, Score
from glyphline.records import Sample
from glyphline.seeds import rng
from glyphline.text import graphemes

if TYPE_CHECKING:
    from glyphline.evaluation.run import ScoreSettings

PICTURE_HEIGHT_PX, PAGE_HEIGHT_PX, PICTURE_WIDTH_PX = 72, 480, 1400
"""Pictures in the page are scaled down to fit, those of lines and those of pages; small ones stay as they are."""
TALL = 3.0
"""A picture that is not so many times as wide as high may hold several lines."""

Segments = list[tuple[str, str]]


def write_report(
    scores: Sequence[Score], metrics: dict[str, Any], samples: Callable[[], Iterable[Sample]], settings: ScoreSettings
) -> str:
    """Return the page as text. `samples` is called once more to fetch the pictures of the lines that are shown."""
    best = min(scores, key=lambda score: score.cer)
    worst = worst_lines(best.lines, settings.worst)
    random = random_lines(best.lines, settings.random, settings.seed)
    pictures = _pictures({line.id for line in (*worst, *random)}, samples())
    others = [{line.id: line for line in score.lines} for score in scores if score is not best]
    modes = [score.mode for score in scores if score is not best]

    def shown(line: LineResult) -> dict[str, Any]:
        reference, prediction = differences(line.reference, line.prediction)
        more = [(mode, lines[line.id].prediction) for mode, lines in zip(modes, others, strict=True)]
        return {
            "line": line,
            "picture": pictures.get(line.id, ""),
            "reference": reference,
            "prediction": prediction,
            "others": more,
        }

    return (
        _environment()
        .get_template("report.html")
        .render(
            metrics=metrics,
            best=best.mode,
            breakdowns=[
                (name, parts)
                for name, parts in metrics["modes"][best.mode].items()
                if name.startswith("by_") and len(parts) > 1
            ],
            confusions=metrics["modes"][best.mode]["confusions"],
            worst=[shown(line) for line in worst],
            random=[shown(line) for line in random],
            histogram=confidence_table(best.lines),
        )
    )


def _environment() -> Any:  # noqa: ANN401
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("glyphline.evaluation"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.1f} %"
    environment.filters["visible"] = visible
    return environment


def visible(text: str) -> str:
    """Return a grapheme for a table of confusions: nothing, spaces and lone marks are given a shape."""
    if text == "":
        return "∅"
    if text.isspace():
        return "␣"
    import unicodedata

    return f"◌{text}" if unicodedata.combining(text[0]) else text


def worst_lines(lines: Sequence[LineResult], count: int) -> list[LineResult]:
    """Return the lines with the most errors per character, the surest reading first among equals; none without errors.

    Lines are compared by edits over the longer of both texts, so that short references do not crowd out the rest.
    """
    wrong = [line for line in lines if not line.errors.exact]
    return sorted(wrong, key=lambda x: (-x.errors.normalised_distance, -x.errors.edits["cer"], -x.confidence, x.id))[
        :count
    ]


def random_lines(lines: Sequence[LineResult], count: int, seed: int) -> list[LineResult]:
    """Return lines drawn at random, in their order."""
    chosen = rng(seed, "random lines").choice(len(lines), size=min(count, len(lines)), replace=False)
    return [lines[i] for i in sorted(chosen)]


def differences(reference: str, prediction: str) -> tuple[Segments, Segments]:
    """Return both texts cut into ("same" | "wrong", text) segments along one shortest alignment of graphemes."""
    from rapidfuzz.distance import Levenshtein

    ours, theirs = graphemes(reference), graphemes(prediction)
    left: Segments = []
    right: Segments = []
    for kind, start, end, begin, stop in Levenshtein.opcodes(ours, theirs):
        name = "same" if kind == "equal" else "wrong"
        if end > start:
            left.append((name, "".join(ours[start:end])))
        if stop > begin:
            right.append((name, "".join(theirs[begin:stop])))
    return left, right


def confidence_table(lines: Sequence[LineResult]) -> list[tuple[str, int, float]]:
    """Return (range, lines, CER) per tenth of confidence: whether the model knows when it is wrong."""
    bins: dict[int, list[LineResult]] = {}
    for line in lines:
        bins.setdefault(min(9, max(0, int(line.confidence * 10))), []).append(line)
    return [(f"{k / 10:.1f}–{(k + 1) / 10:.1f}", len(bins[k]), Score("", bins[k]).cer) for k in sorted(bins)]


def _pictures(wanted: set[str], samples: Iterable[Sample]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not wanted:
        return found
    for sample in samples:
        if sample.id in wanted and sample.id not in found:
            found[sample.id] = data_uri(sample.image)
            if len(found) == len(wanted):
                break
    return found


def data_uri(image: np.ndarray) -> str:
    """Return a uint8 picture as a `data:` address, scaled down for the page."""
    import cv2

    from glyphline.images import encode

    tallest = PICTURE_HEIGHT_PX if image.shape[1] > TALL * image.shape[0] else PAGE_HEIGHT_PX
    scale = min(1.0, tallest / image.shape[0], PICTURE_WIDTH_PX / image.shape[1])
    if scale < 1.0:
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return "data:image/jpeg;base64," + base64.b64encode(encode(image, "jpeg", 80)).decode()
