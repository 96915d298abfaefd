"""Shadows of a hand or a camera, and light from one side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Range of the shade."""

    low: float = 0.1
    """Least share of light that is lost."""
    high: float = 0.45
    """Largest share of light that is lost."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw depth, edge and direction."""
    return {
        "depth": float(rng.uniform(settings.low, settings.high)),
        "edge": float(rng.uniform(0.15, 0.85)),
        "soft": float(rng.uniform(0.05, 1.0)),
        "tilt": float(rng.uniform(-1, 1)),
        "side": int(rng.integers(2)),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Darken one side of an `(H, W)` or `(H, W, 3)` image beyond a soft, slanting edge."""
    height, width = image.shape[:2]
    along = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    across = np.linspace(-0.5, 0.5, 8, dtype=np.float32)[:, None]
    place = along + across * params["tilt"] * height / width - params["edge"]
    place = -place if params["side"] else place
    shade = 255 * (1 - params["depth"] * np.clip(place / max(0.02, params["soft"]) + 0.5, 0, 1))
    level = cv2.resize(shade.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(image, level if image.ndim == 2 else cv2.merge([level] * 3), scale=1 / 255)
