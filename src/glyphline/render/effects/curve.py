"""A line on a curved page: it bows up or down once along its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """How far the line bows."""

    reach: float = 0.25
    """Largest rise or fall, as a share of the height."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the bow and where along the line it peaks."""
    return {"reach": float(rng.uniform(-settings.reach, settings.reach)), "peak": float(rng.uniform(0.2, 0.8))}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Bend an `(H, W)` or `(H, W, 3)` image; the canvas grows by the bow."""
    vertical = image.shape[0] > 2 * image.shape[1]
    if vertical:
        image = cv2.transpose(image)
    height, width = image.shape[:2]
    room = int(np.ceil(abs(params["reach"]) * height))
    fill = paper_of(image)
    image = cv2.copyMakeBorder(image, room, room, 0, 0, cv2.BORDER_CONSTANT, value=fill)
    along = np.linspace(0, 1, width, dtype=np.float32)
    shift = params["reach"] * height * (1 - ((along - params["peak"]) / max(params["peak"], 1 - params["peak"])) ** 2)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height + 2 * room, dtype=np.float32))
    image = cv2.remap(image, x, y + shift[None, :].astype(np.float32), cv2.INTER_LINEAR, borderValue=fill)
    return cv2.transpose(image) if vertical else image
