"""Margins around the text, each side its own: the jitter of a crop, which never reaches the ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Range of each margin."""

    low: float = 0.03
    """Smallest margin, as a share of the height of the text."""
    high: float = 0.25
    """Largest margin, as a share of the height of the text."""
    sides: float = 2.0
    """Left and right margins are up to this many times larger."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the four margins."""
    top, bottom, left, right = rng.uniform(settings.low, settings.high, 4).tolist()
    return {"top": top, "bottom": bottom, "left": left * settings.sides, "right": right * settings.sides}


def sides(shape: tuple[int, ...], params: dict[str, Any]) -> list[int]:
    """Return the pixels above, below, left and right of a picture; of a line that runs down, the width counts."""
    em = min(shape[:2])
    return [round(em * params[side]) for side in ("top", "bottom", "left", "right")]


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Add the margins to an `(H, W)` or `(H, W, 3)` image."""
    return cv2.copyMakeBorder(image, *sides(image.shape, params), cv2.BORDER_CONSTANT, value=paper_of(image))
