"""A line that does not run level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Range of the angle."""

    low: float = -1.5
    """Smallest angle in degrees; positive turns against the clock."""
    high: float = 1.5
    """Largest angle in degrees."""
    max_rise: float = 0.6
    """Largest rise over the whole line, in heights of the line: long lines are skewed less."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw an angle."""
    return {"degrees": float(rng.uniform(settings.low, settings.high)), "max_rise": settings.max_rise}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Rotate an `(H, W)` or `(H, W, 3)` image; the canvas grows so that nothing is cut."""
    height, width = image.shape[:2]
    limit = math.degrees(math.atan(params["max_rise"] * min(height, width) / max(height, width)))
    angle = max(-limit, min(limit, params["degrees"]))
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    new_width = math.ceil(width * abs(cos) + height * abs(sin) + 1)
    new_height = math.ceil(height * abs(cos) + width * abs(sin) + 1)
    matrix = np.array(
        [
            [cos, sin, (new_width - 1) / 2 - cos * (width - 1) / 2 - sin * (height - 1) / 2],
            [-sin, cos, (new_height - 1) / 2 + sin * (width - 1) / 2 - cos * (height - 1) / 2],
        ]
    )
    return cv2.warpAffine(image, matrix, (new_width, new_height), flags=cv2.INTER_LINEAR, borderValue=paper_of(image))
