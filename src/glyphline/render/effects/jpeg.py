"""JPEG artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Range of the quality."""

    low: int = 25
    """Worst quality."""
    high: int = 80
    """Best quality."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a quality."""
    return {"quality": int(rng.integers(settings.low, settings.high + 1))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Compress an `(H, W)` or `(H, W, 3)` image and open it again."""
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, params["quality"]])
    found = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return found if image.ndim == 2 else cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
