"""Slanted letters, as in italics or a leaning hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Range of the slant."""

    low: float = -8.0
    """Smallest angle in degrees; negative leans backwards."""
    high: float = 16.0
    """Largest angle in degrees."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw an angle."""
    return {"degrees": float(rng.uniform(settings.low, settings.high))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Shear an `(H, W)` or `(H, W, 3)` image along the line; the canvas grows so that nothing is cut."""
    height, width = image.shape[:2]
    slope = float(np.tan(np.radians(params["degrees"])))
    room = int(np.ceil(abs(slope) * height))
    matrix = np.array([[1, -slope, room if slope > 0 else 0], [0, 1, 0]], dtype=np.float64)
    return cv2.warpAffine(image, matrix, (width + room, height), flags=cv2.INTER_LINEAR, borderValue=paper_of(image))
