"""A lens out of focus: every point becomes a disc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Range of the disc."""

    low: float = 0.8
    """Smallest radius, in pixels of a line 64 px high."""
    high: float = 2.2
    """Largest radius, in pixels of a line 64 px high."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a radius."""
    return {"radius": float(rng.uniform(settings.low, settings.high))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Blur an `(H, W)` or `(H, W, 3)` image with a disc."""
    radius = max(0.4, params["radius"] * min(image.shape[:2]) / 64)
    reach = int(np.ceil(radius))
    away = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    kernel = np.clip(radius + 0.5 - away, 0, 1).astype(np.float32)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
