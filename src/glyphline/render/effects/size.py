"""Size of the letters in the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Range of the scale."""

    low: float = 0.8
    """Smallest scale."""
    high: float = 1.0
    """Largest scale."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a scale."""
    return {"scale": float(rng.uniform(settings.low, settings.high))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Scale an `(H, W)` or `(H, W, 3)` image."""
    height, width = image.shape[:2]
    size = max(1, round(width * params["scale"])), max(1, round(height * params["scale"]))
    if size == (width, height):
        return image
    # Averaging over areas costs ten times as much and shows only where much is lost.
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if params["scale"] < 0.6 else cv2.INTER_LINEAR)
