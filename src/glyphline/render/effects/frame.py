"""Margins in exact pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """The four margins."""

    top: int = 5
    """Pixels above the text."""
    left: int = 5
    """Pixels left of it."""
    bottom: int = 5
    """Pixels below it."""
    right: int = 5
    """Pixels right of it."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Return the margins: nothing is drawn."""
    return {"sides": [settings.top, settings.bottom, settings.left, settings.right]}


def sides(shape: tuple[int, ...], params: dict[str, Any]) -> list[int]:  # noqa: ARG001
    """Return the pixels above, below, left and right of a picture of a shape."""
    return params["sides"]


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Add the margins to an `(H, W)` or `(H, W, 3)` image."""
    return cv2.copyMakeBorder(image, *sides(image.shape, params), cv2.BORDER_CONSTANT, value=paper_of(image))
