"""Paper that is lighter on one side, as under uneven light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "paper"


@dataclass(frozen=True)
class Settings:
    """Range of the difference."""

    low: float = 8.0
    """Least, in grey values."""
    high: float = 45.0
    """Most, in grey values."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the darkening of the four corners."""
    return {"corners": (rng.random((2, 2)) * rng.uniform(settings.low, settings.high)).tolist()}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Darken an `(H, W)` or `(H, W, 3)` paper towards its corners."""
    level = np.rint(params["corners"]).astype(np.uint8)
    # Once more as large, and the flat rims, where there is nothing to interpolate between, cut off.
    height, width = image.shape[:2]
    level = cv2.resize(level, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    level = level[height // 2 : height // 2 + height, width // 2 : width // 2 + width]
    return cv2.subtract(image, level if image.ndim == 2 else cv2.merge([level] * 3))
