"""New lines out of real ones: spans of words of several lines, side by side on one paper.

More texts than were written by hand, in the hands that wrote them. Only lines of the same source, and so of the same
split, are put together (the scheme of Singh and Karayev, "Full Page Handwriting Recognition via Image to Sequence
Extraction", ICDAR 2021, for lines).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from glyphline.images import to_grey, to_rgb
from glyphline.models.windows import blank_runs

MOST = 3
"""Lines that a composed line takes from, at most."""
CLEAR = 1.6
"""How many times as wide as any other gap the gaps between words must be, to cut there."""
EVEN = (0.5, 1.8)
"""Bounds of a word's width a character, in those of the whole line: what lies outside was cut in the wrong place."""
SPACE = (0.2, 0.5)
"""Width of the space between two spans, in heights of the line."""


def compose(
    pictures: Sequence[np.ndarray], texts: Sequence[str], generator: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Return a picture of a span of words of each line, side by side, and its text.

    Pictures are uint8 `(H, W)` or `(H, W, 3)`; the result has the height of the leftmost. Lines that run in different
    directions are not mixed: the first one's span is returned.
    """
    import cv2

    spans = [draw_span(picture, text, generator) for picture, text in zip(pictures, texts, strict=True)]
    if len({runs_leftwards(text) for text in texts}) > 1:
        return spans[0]
    text = " ".join(text for _, text in spans)
    spans = spans[::-1] if runs_leftwards(text) else spans
    height = spans[0][0].shape[0]
    grey = all(picture.ndim == 2 for picture, _ in spans)
    columns: list[np.ndarray] = []
    for picture, _ in spans:
        scaled = picture
        if picture.shape[0] != height:
            width = max(1, round(picture.shape[1] * height / picture.shape[0]))
            scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        if columns:
            gap = max(1, int(height * generator.uniform(*SPACE)))
            columns.append(_paper(columns[-1], scaled, gap))
        columns.append(scaled if grey else to_rgb(scaled))
    joined = [column if grey else to_rgb(column) for column in columns]
    return np.concatenate(joined, 1), text


def draw_span(picture: np.ndarray, text: str, generator: np.random.Generator) -> tuple[np.ndarray, str]:
    """Return a span of whole words of a line; the whole line where its words cannot be told apart."""
    words = text.split()
    cuts = word_cuts(picture, words)
    first = int(generator.integers(0, len(words))) if words else 0
    last = int(generator.integers(first + 1, len(words) + 1)) if words else 0
    if len(words) < 2 or not cuts:
        return picture, text
    edges = [0, *cuts, picture.shape[1]]
    begin, end = (len(words) - last, len(words) - first) if runs_leftwards(text) else (first, last)
    return picture[:, edges[begin] : edges[end]], " ".join(words[first:last])


def runs_leftwards(text: str) -> bool:
    """Tell whether a text's first strong letter is Hebrew, Arabic or another that runs from right to left."""
    strong = (unicodedata.bidirectional(character) for character in text)
    return next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L"


def word_cuts(picture: np.ndarray, words: Sequence[str]) -> list[int]:
    """Return the columns between words, one less than `words`.

    None at all unless the gaps there are clearly the widest, and every word is about as wide as its letters ask for.
    """
    width = picture.shape[1]
    inner = [(begin, end) for begin, end in blank_runs(picture) if begin > 0 and end < width]
    gaps = sorted((end - begin, (begin + end) // 2) for begin, end in inner)
    wanted = len(words) - 1
    if wanted < 1 or len(gaps) < wanted:
        return []
    chosen, others = gaps[-wanted:], gaps[:-wanted]
    if others and chosen[0][0] < CLEAR * others[-1][0]:
        return []
    cuts = sorted(place for _, place in chosen)
    lengths = np.array([len(word) + 1 for word in (words[::-1] if runs_leftwards("".join(words)) else words)])
    even = np.diff([0, *cuts, width]) / lengths / (width / lengths.sum())
    return cuts if (even > EVEN[0]).all() and (even < EVEN[1]).all() else []


def _paper(left: np.ndarray, right: np.ndarray, width: int) -> np.ndarray:
    """Return `width` columns that pass from the paper of one picture to that of the next."""
    ends = [np.median(to_grey(picture)) for picture in (left, right)]
    row = np.linspace(ends[0], ends[1], width).round().astype(np.uint8)
    return np.repeat(row[None], left.shape[0], 0)
