"""A page seen from the side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """How far the corners move."""

    reach: float = 0.12
    """Largest shift of a corner, as a share of the height."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the shifts of the four corners; outwards only, so that nothing shrinks out of sight."""
    return {"corners": rng.uniform(0, settings.reach, (4, 2)).tolist()}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Pull the corners of an `(H, W)` or `(H, W, 3)` image outwards; the canvas grows with them."""
    height, width = image.shape[:2]
    em = min(height, width)
    shifts = np.array(params["corners"], dtype=np.float32) * em
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float32)
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], dtype=np.float32)
    moved = corners + signs * shifts
    moved -= moved.min(axis=0)
    size = tuple(int(np.ceil(side)) + 1 for side in moved.max(axis=0))
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderValue=paper_of(image))
