"""Contact sheets: many lines on one picture, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from glyphline.images import encode, to_rgb
from glyphline.records import Drop, Sample

FELT = (120, 130, 120)
"""Colour between the lines: neither paper nor ink."""
GAP_PX = 6


def contact_sheet(samples: Sequence[Sample | Drop], width_px: int = 1600, levels: int = 0) -> bytes:
    """Return a PNG with the lines in rows as they fit; a line wider than the sheet is made smaller, drops are left out.

    `levels` above 0 reduces the grey or colour levels to keep the file small.
    """
    rows: list[list[np.ndarray]] = [[]]
    room = width_px
    for sample in samples:
        if isinstance(sample, Drop):
            continue
        image = to_rgb(sample.image)
        if image.shape[1] > width_px:
            scale = width_px / image.shape[1]
            image = cv2.resize(image, (width_px, max(1, round(image.shape[0] * scale))), interpolation=cv2.INTER_AREA)
        if rows[-1] and image.shape[1] > room:
            rows.append([])
            room = width_px
        rows[-1].append(image)
        room -= image.shape[1] + GAP_PX
    sheet = np.concatenate([_strip(row, width_px) for row in rows])
    if levels:
        step = 256 / levels
        sheet = np.clip((sheet / step).round() * step, 0, 255).astype(np.uint8)
    return encode(sheet, "png")


def _strip(row: Sequence[np.ndarray], width_px: int) -> np.ndarray:
    """Return one row of lines on felt."""
    height = max((image.shape[0] for image in row), default=1)
    strip = np.full((height + GAP_PX, width_px, 3), FELT, np.uint8)
    left = 0
    for image in row:
        strip[: image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1] + GAP_PX
    return strip
