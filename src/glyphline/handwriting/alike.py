"""The same line in two pictures: scanned, scaled or encoded twice, which a digest of pixels does not notice.

A picture's looks are 128 bits: its ink's box, scaled to 4 rows of 33 grey values, each compared with the one left of it
(a "difference hash", after N. Krawetz, hackerfactor.com, 2013, in the proportions of a line). Two encodings of one line
differ in a few bits, two lines in about half of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from glyphline import images

logger = logging.getLogger(__name__)

ROWS, COLUMNS = 4, 32
MOST_BITS = 19
"""Pictures that differ in at most so many bits of 128 may show one line. Measured on 950 real lines: of lines encoded
anew 99 in 100 are found, of lines at 80 % of their size, with more paper around them and as JPEG of quality 40 nineteen
in twenty; among 4,800 lines of four sets those found were one line, a running head, or a page number."""
TEXT_SHARE = 0.8
"""Least similarity of their texts: two transcriptions of one line differ in a letter or two."""
MOST_LINES = 40_000
"""Larger sets are not looked through: all pairs of their pictures would take minutes."""
BLOCK = 512


class Seen(Protocol):
    """What is known of a line."""

    looks: int
    text: str


def looks_of(image: np.ndarray) -> int:
    """Return the 128 bits that stand for the looks of a picture `(H, W)` or `(H, W, 3)`, uint8."""
    import cv2

    grey = images.to_grey(image)
    low, high = np.percentile(grey, (0.5, 90))
    ink = np.clip((high - grey.astype(np.float32)) / max(1.0, high - low) - 0.4, 0, 0.3)
    if ink.any():
        (top, bottom), (left, right) = (_middle(ink.sum(axis)) for axis in (1, 0))
        grey = grey[top : bottom + 1, left : right + 1]
    small = cv2.resize(grey, (COLUMNS + 1, ROWS), interpolation=cv2.INTER_AREA).astype(np.int16)
    return int.from_bytes(np.packbits(np.diff(small, axis=1) > 0).tobytes(), "big")


def _middle(ink: np.ndarray) -> tuple[int, int]:
    """Return where the middle 98 % of the ink begins and ends: a speck at the edge must not move the box."""
    reached = np.cumsum(ink) / ink.sum()
    return int(np.searchsorted(reached, 0.01)), int(np.searchsorted(reached, 0.99))


def find_alike(items: Sequence[Seen]) -> list[tuple[int, int]]:
    """Return the positions of all pairs that show the same line, the earlier one first."""
    from rapidfuzz.distance import Levenshtein

    places = [place for place, item in enumerate(items) if item.looks]
    if len(places) > MOST_LINES:
        logger.warning("%d lines are too many to look for pictures that are alike", len(places))
        return []
    looks = [items[place].looks for place in places]
    halves = np.array([[bits >> 64, bits & (1 << 64) - 1] for bits in looks], dtype=np.uint64).reshape(-1, 2)
    pairs = []
    for start in range(0, len(places), BLOCK):
        differing = np.bitwise_count(halves[start : start + BLOCK, None] ^ halves[None, start:]).sum(-1, dtype=np.uint8)
        for row, column in np.argwhere(np.triu(differing <= MOST_BITS, 1)) + start:
            first, second = places[row], places[column]
            if Levenshtein.normalized_similarity(items[first].text, items[second].text) >= TEXT_SHARE:
                pairs.append((first, second))
    return pairs
