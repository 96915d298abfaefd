"""Low resolution: made small and large again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Range of the resolution."""

    low: float = 18.0
    """Lowest height that the line is brought down to, in pixels."""
    high: float = 40.0
    """Highest height that the line is brought down to, in pixels."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a height and the way back."""
    return {"height_px": float(rng.uniform(settings.low, settings.high)), "smooth": bool(rng.integers(4))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Lose the detail of an `(H, W)` or `(H, W, 3)` image; its size stays."""
    height, width = image.shape[:2]
    scale = min(1.0, params["height_px"] / min(height, width))
    small = cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    way = cv2.INTER_LINEAR if params["smooth"] else cv2.INTER_NEAREST
    return cv2.resize(small, (width, height), interpolation=way)
