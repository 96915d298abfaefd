"""Gaussian blur: a soft scan or print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Range of the blur."""

    low: float = 0.3
    """Smallest standard deviation, in pixels of a line 64 px high."""
    high: float = 1.2
    """Largest standard deviation, in pixels of a line 64 px high."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a standard deviation."""
    return {"sigma": float(rng.uniform(settings.low, settings.high))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Blur an `(H, W)` or `(H, W, 3)` image."""
    sigma = params["sigma"] * min(image.shape[:2]) / 64
    radius = max(1, round(2.5 * sigma))
    return cv2.GaussianBlur(image, (2 * radius + 1, 2 * radius + 1), max(sigma, 0.05), borderType=cv2.BORDER_REPLICATE)
