"""TrOCR's augmentation: exactly one of seven with equal chances (Li et al., 2021, "TrOCR", and microsoft/unilm)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.images import to_grey
from glyphline.render.effects import paper_of

STAGE = "picture"

CHOICES = ("rotate", "blur", "dilate", "erode", "downscale", "underline", "keep")

_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Settings:
    """The seven choices are fixed; only the rotation has a range."""

    degrees: float = 10.0
    """Largest rotation to either side."""
    max_rise: float = 1.0
    """Largest rise over the whole line, in heights: ten degrees would turn a long line out of its picture."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw one of the seven and the angle."""
    return {
        "choice": CHOICES[int(rng.integers(len(CHOICES)))],
        "degrees": float(rng.uniform(-settings.degrees, settings.degrees)),
        "max_rise": settings.max_rise,
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Change an `(H, W)` or `(H, W, 3)` image of dark ink."""
    choice = params["choice"]
    if choice == "rotate":
        from glyphline.render.effects.skew import apply as rotate

        return rotate(image, params)
    if choice == "blur":
        return cv2.GaussianBlur(image, (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE)
    if choice == "dilate":
        return cv2.dilate(image, _SQUARE)
    if choice == "erode":
        return cv2.erode(image, _SQUARE)
    if choice == "downscale":
        height, width = image.shape[:2]
        small = cv2.resize(image, (max(8, width // 3), max(8, height // 3)), interpolation=cv2.INTER_NEAREST)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return _underline(image) if choice == "underline" else image


def _underline(image: np.ndarray) -> np.ndarray:
    """Draw a line of three pixels at the lowest dark pixel, as wide as the ink."""
    grey = to_grey(image)
    level = (int(grey.min()) + int(grey.max())) // 2
    rows, columns = np.flatnonzero((grey < level).any(axis=1)), np.flatnonzero((grey < level).any(axis=0))
    if not len(rows):
        return image
    bottom = int(rows[-1])
    room = max(0, bottom + 4 - image.shape[0])
    result = cv2.copyMakeBorder(image, 0, room, 0, 0, cv2.BORDER_CONSTANT, value=paper_of(image))
    result[bottom + 1 : bottom + 4, columns[0] : columns[-1] + 1] = image[grey == grey.min()][0]
    return result
