"""JPEG artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphline.images import decode, encode

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
    return decode(encode(image, "jpeg", params["quality"]))
