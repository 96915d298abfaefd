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
    corners = np.array(params["corners"], dtype=np.float32)
    # The corners' values belong to the outermost pixels, so interpolate over one more on each side and cut it off.
    level = cv2.resize(corners, (2 * image.shape[1], 2 * image.shape[0]), interpolation=cv2.INTER_LINEAR)
    height, width = image.shape[:2]
    level = level[height // 2 : height // 2 + height, width // 2 : width // 2 + width].astype(np.uint8)
    return cv2.subtract(image, level if image.ndim == 2 else cv2.merge([level] * 3))
