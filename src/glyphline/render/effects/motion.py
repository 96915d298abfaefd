"""Motion blur: the camera moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Range of the movement."""

    low: float = 2.0
    """Shortest, in pixels of a line 64 px high."""
    high: float = 6.0
    """Longest, in pixels of a line 64 px high."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw length and direction."""
    return {"length": float(rng.uniform(settings.low, settings.high)), "angle": float(rng.uniform(0, np.pi))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Blur an `(H, W)` or `(H, W, 3)` image along a line."""
    length = max(1.0, params["length"] * min(image.shape[:2]) / 64)
    side = 2 * int(np.ceil(length / 2)) + 1
    middle, reach = side // 2, length / 2
    steps, kernel = np.linspace(-reach, reach, 4 * side), np.zeros((side, side), np.float32)
    rows, columns = np.rint(steps * np.sin(params["angle"])), np.rint(steps * np.cos(params["angle"]))
    np.add.at(kernel, (middle + rows.astype(int), middle + columns.astype(int)), 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
