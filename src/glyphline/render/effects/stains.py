"""Stains: pale blots with darker rims, as of coffee or water."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "paper"


@dataclass(frozen=True)
class Settings:
    """Number, size and strength."""

    count: int = 3
    """Most stains."""
    low: float = 0.2
    """Smallest radius, as a share of the height."""
    high: float = 1.2
    """Largest radius, as a share of the height."""
    strength: float = 40.0
    """Darkest, in grey values."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the stains: place, radii, turn, strength."""
    count = int(rng.integers(1, settings.count + 1))
    return {
        "places": rng.random((count, 2)).tolist(),
        "radii": rng.uniform(settings.low, settings.high, (count, 2)).tolist(),
        "turns": rng.uniform(0, 180, count).tolist(),
        "strengths": (rng.uniform(0.3, 1.0, count) * settings.strength).tolist(),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Stain an `(H, W)` or `(H, W, 3)` paper."""
    height, width = image.shape[:2]
    em = min(height, width)
    loss = np.zeros((height, width), np.float32)
    for place, radii, turn, strength in zip(
        *(params[k] for k in ("places", "radii", "turns", "strengths")), strict=True
    ):
        blot = np.zeros((height, width), np.float32)
        centre = round(place[0] * width), round(place[1] * height)
        axes = max(2, round(radii[0] * em)), max(2, round(radii[1] * em))
        cv2.ellipse(blot, centre, axes, turn, 0, 360, 0.45 * strength, -1, cv2.LINE_AA)
        cv2.ellipse(blot, centre, axes, turn, 0, 360, strength, max(1, em // 24), cv2.LINE_AA)
        loss += cv2.GaussianBlur(blot, (0, 0), max(0.6, em / 40))
    tint = np.array([0.55, 0.8, 1.0], np.float32)
    return np.clip(image - (loss if image.ndim == 2 else loss[:, :, None] * tint), 0, 255).astype(np.uint8)
