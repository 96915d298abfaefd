"""A quasicrystal as background: plane waves in all directions, added up (TRDG's background 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

STAGE = "paper"


@dataclass(frozen=True)
class Settings:
    """Waves and contrast."""

    rotations: int = 10
    """Most directions."""
    frequency: float = 0.4
    """Highest frequency, in radians a pixel."""
    contrast: float = 0.35
    """Share of the grey scale that it takes, below the paper's own grey."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw directions, frequency and phase."""
    return {
        "rotations": int(rng.integers(5, max(6, settings.rotations + 1))),
        "frequency": float(rng.uniform(0.3, 1.0)) * settings.frequency,
        "phase": float(rng.uniform(0, 2 * np.pi)),
        "contrast": settings.contrast,
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Darken an `(H, W)` or `(H, W, 3)` paper by the pattern."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    total = np.zeros(image.shape[:2], np.float32)
    for number in range(params["rotations"]):
        angle = np.pi * number / params["rotations"]
        total += np.cos((x * np.cos(angle) + y * np.sin(angle)) * params["frequency"] + params["phase"])
    total -= total.min()
    shade = 1 - params["contrast"] * total / max(1e-6, float(total.max()))
    return np.clip(np.rint(image * (shade if image.ndim == 2 else shade[:, :, None])), 0, 255).astype(np.uint8)
