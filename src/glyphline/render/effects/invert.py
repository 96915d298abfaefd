"""Light letters on dark ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Nothing to set."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw nothing."""
    return {}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Invert an `(H, W)` or `(H, W, 3)` image."""
    return cv2.bitwise_not(image)
