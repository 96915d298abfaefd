"""Lines that are wider than the canvas: cut where nothing is written, read piece by piece, joined again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glyphline.images import to_grey
from glyphline.models.canvas import Canvas
from glyphline.records import Reading
from glyphline.text import graphemes

TOLERANCE = 1.1
"""A line this much wider than the canvas is still scaled down: a cut costs more than a tenth of its height."""
SEARCHED = 0.5
"""Share of a window, from its end, in which a place to cut is looked for."""
SPACE = 0.22
"""A gap of so many line heights is a space between words."""
OVERLAP = 2.0
"""Line heights that windows share where there is no gap to cut at."""


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a line, and what joins it to the piece before."""

    image: np.ndarray
    """Pixels of the piece, as high as the line."""
    joint: str | None = ""
    """Text in between, a space or nothing; None where the pieces overlap."""


def split_wide(image: np.ndarray, canvas: Canvas) -> list[Window]:
    """Cut a picture `(H, W)` or `(H, W, 3)` into windows that fit the canvas; one window where it fits as it is."""
    height, width = image.shape[:2]
    widest = int(canvas.width * height / canvas.height)
    if canvas.mode != "line" or width <= widest * TOLERANCE:
        return [Window(image)]
    gaps = blank_runs(image)
    windows: list[Window] = []
    start, joint = 0, ""
    while width - start > widest * TOLERANCE:
        low, high = start + int(widest * (1 - SEARCHED)), start + widest
        inside = [(end - begin, begin, end) for begin, end in gaps if begin >= low and end <= high]
        if inside:
            gap, begin, end = max(inside)
            windows.append(Window(image[:, start : (begin + end) // 2], joint))
            start, joint = (begin + end) // 2, " " if gap >= SPACE * height else ""
        else:
            windows.append(Window(image[:, start:high], joint))
            start, joint = high - int(OVERLAP * height), None
    return [*windows, Window(image[:, start:], joint)]


def blank_runs(image: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of columns without ink as (begin, end), by Otsu's threshold; the rarer side is the ink."""
    import cv2

    grey = to_grey(image)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark = grey <= threshold
    ink = dark if dark.mean() <= 0.5 else ~dark
    blank = np.concatenate(([False], ~ink.any(0), [False]))
    edges = np.flatnonzero(blank[1:] != blank[:-1])
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def join(readings: Sequence[Reading], joints: Sequence[str | None]) -> Reading:
    """Return the reading of a whole line: texts joined, confidence the geometric mean by length."""
    text = readings[0].text
    for reading, joint in zip(readings[1:], joints[1:], strict=True):
        if joint is None:
            text = merge(text, reading.text)
        else:
            text = (text + joint + reading.text).strip() if reading.text else text
    weights = np.array([max(1, len(reading.text)) for reading in readings], float)
    logs = np.log([max(reading.confidence, 1e-9) for reading in readings])
    modes = {reading.mode for reading in readings}
    mode = readings[0].mode if len(modes) == 1 else "auto"
    return Reading(text, float(np.exp((weights * logs).sum() / weights.sum())), mode)


def merge(first: str, second: str, searched: int = 12) -> str:
    """Join two texts that overlap: at the place where end and beginning differ least, the longest of equals.

    The last character of the first and the first of the second may be half cut off, so that they count for nothing.
    """
    from rapidfuzz.distance import Levenshtein

    left, right = graphemes(first), graphemes(second)
    best, chosen = 0.5, (len(left), 0)
    for length in range(2, min(searched, len(left), len(right)) + 1):
        end, beginning = left[-length:], right[:length]
        differing = Levenshtein.distance(end[1:-1], beginning[1:-1]) / max(1, length - 2) if length > 2 else 1.0
        equal = Levenshtein.distance(end, beginning) / length
        cost = min(differing + 0.1, equal)
        if cost < best or (cost == best and length > len(left) - chosen[0]):
            half = length // 2
            best, chosen = cost, (len(left) - length + half, half)
    return "".join(left[: chosen[0]]) + "".join(right[chosen[1] :])
