"""Ink that bleeds into the paper: rounder, ragged strokes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects.noise import add_noise

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """How far ink bleeds."""

    low: float = 0.5
    """Least, in pixels of a line 64 px high."""
    high: float = 1.3
    """Most, in pixels of a line 64 px high."""
    ragged: float = 12.0
    """Roughness of the edges, in grey values."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a reach and a place in the field of noise."""
    reach, row, column = rng.random(3).tolist()
    reach = settings.low + (settings.high - settings.low) * reach
    return {"reach": reach, "sigma": settings.ragged, "row": row, "column": column}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Spread the ink of an `(H, W)` coverage image: blur, roughen, and sharpen again a little above the old edge."""
    sigma = max(0.3, params["reach"] * min(image.shape[:2]) / 64)
    room = int(np.ceil(sigma)) + 1
    image = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    rough = add_noise(soft, params)
    sharp = cv2.convertScaleAbs(cv2.subtract(rough, 50.0), alpha=1.9)
    # Nothing that had ink loses it all: thin strokes keep half of what they had.
    return cv2.max(sharp, cv2.convertScaleAbs(image, alpha=0.5))
