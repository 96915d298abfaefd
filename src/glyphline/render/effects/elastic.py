"""Elastic distortion on a coarse grid, after Simard, Steinkraus and Platt (2003)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import draw_seed, noise_rng, paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """How far pixels move."""

    low: float = 0.005
    """Smallest largest shift, as a share of the height."""
    high: float = 0.03
    """Largest shift, as a share of the height."""
    cell: float = 0.4
    """Distance of the grid's points, in heights."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a strength and the seed of the grid."""
    return {"reach": float(rng.uniform(settings.low, settings.high)), "cell": settings.cell, "seed": draw_seed(rng)}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Move the pixels of an `(H, W)` or `(H, W, 3)` image; the canvas grows by the largest shift."""
    em = min(image.shape[:2])
    reach = params["reach"] * em
    room = int(np.ceil(reach))
    fill = paper_of(image)
    image = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_CONSTANT, value=fill)
    height, width = image.shape[:2]
    cell = max(4.0, params["cell"] * em)
    grid = noise_rng(params).uniform(-reach, reach, (2, max(2, round(height / cell)), max(2, round(width / cell))))
    x, y = (cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in grid.astype(np.float32))
    x += np.arange(width, dtype=np.float32)[None, :]
    y += np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderValue=fill)
