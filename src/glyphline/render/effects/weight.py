"""Thicker or thinner strokes: a fraction of a pixel of dilation or erosion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Settings:
    """Range of the change."""

    low: float = -0.4
    """Most that strokes lose on each side, in pixels (negative)."""
    high: float = 0.8
    """Most that strokes gain on each side, in pixels."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a change of weight."""
    return {"pixels": float(rng.uniform(settings.low, settings.high))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Thicken or thin the ink of an `(H, W)` coverage image; a thinned stroke keeps its core."""
    pixels = params["pixels"]
    if pixels < 0:
        return cv2.addWeighted(image, 1 + pixels, cv2.erode(image, _CROSS), -pixels, 0)
    room = int(np.ceil(pixels))
    image = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_CONSTANT, value=paper_of(image))
    while pixels > 0:
        share = min(1.0, pixels)
        image = cv2.addWeighted(image, 1 - share, cv2.dilate(image, _CROSS), share, 0)
        pixels -= 1
    return image
