"""Faded ink: patches where the print or pen gave less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import draw_seed, noise_rng

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """How much fades."""

    low: float = 0.0
    """Least share of ink that is lost everywhere."""
    high: float = 0.3
    """Largest share lost everywhere."""
    patches: float = 0.35
    """Largest further share lost in patches."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the loss and the seed of the patches."""
    return {
        "loss": float(rng.uniform(settings.low, settings.high)),
        "patches": float(rng.uniform(0, settings.patches)),
        "seed": draw_seed(rng),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Weaken the ink of an `(H, W)` coverage image; at least a third of it stays everywhere."""
    height, width = image.shape[:2]
    em = max(1, min(height, width))
    coarse = noise_rng(params).random((max(2, 3 * height // em), max(2, 3 * width // em)), dtype=np.float32)
    level = np.clip(255 * (1 - params["loss"] - params["patches"] * coarse), 85, 255).astype(np.uint8)
    level = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(image, level if image.ndim == 2 else cv2.merge([level] * 3), scale=1 / 255)
