"""Folds: a crease with light on one side of it and shade on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

STAGE = "paper"


@dataclass(frozen=True)
class Settings:
    """Depth and number."""

    depth: float = 28.0
    """Deepest crease, in grey values."""
    count: int = 2
    """Most creases."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the creases."""
    count = int(rng.integers(1, settings.count + 1))
    return {
        "places": rng.random(count).tolist(),
        "tilts": rng.uniform(-0.6, 0.6, count).tolist(),
        "depths": (rng.uniform(0.4, 1.0, count) * settings.depth).tolist(),
        "level": bool(rng.integers(4) == 0),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Fold an `(H, W)` or `(H, W, 3)` paper."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if params["level"]:
        x, y, width = y, x, height
    em = min(image.shape[:2])
    change = np.zeros(image.shape[:2], np.float32)
    for place, tilt, depth in zip(params["places"], params["tilts"], params["depths"], strict=True):
        away = (x - place * width - tilt * (y - y.mean())) / (0.35 * em)
        # A dark crease, a shaded slope on one side and a lit one on the other.
        change -= depth * (np.exp(-((away * 12) ** 2)) + 0.5 * np.exp(-np.abs(away)) * np.sign(away))
    return np.clip(image + (change if image.ndim == 2 else change[:, :, None]), 0, 255).astype(np.uint8)
