"""Coloured paper: yellowed, recycled, blueish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "paper"

_HUES = (
    (1.0, 0.97, 0.88),
    (0.98, 0.96, 0.92),
    (1.0, 0.93, 0.78),
    (0.95, 0.97, 1.0),
    (1.0, 0.95, 0.95),
    (0.94, 1.0, 0.95),
)


@dataclass(frozen=True)
class Settings:
    """Strength."""

    strength: float = 1.0
    """How far towards the hue, at most."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a hue and a strength."""
    hue = _HUES[int(rng.integers(len(_HUES)))]
    share = float(rng.uniform(0.2, 1.0)) * settings.strength
    return {"factors": [1 + (value - 1) * share for value in hue]}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Return an `(H, W, 3)` paper of the hue."""
    if image.ndim == 2:
        return cv2.merge([cv2.convertScaleAbs(image, alpha=factor) for factor in params["factors"]])
    return cv2.multiply(image, (*params["factors"], 0.0))
