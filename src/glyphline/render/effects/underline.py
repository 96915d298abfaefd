"""A line drawn under the text, by ruler or by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphline.render.effects import draw_seed, noise_rng

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Thickness, distance and unsteadiness."""

    low: float = 0.02
    """Least thickness, as a share of the height."""
    high: float = 0.06
    """Largest thickness, as a share of the height."""
    gap: float = 0.12
    """Largest distance below the ink, as a share of the height."""
    unsteady: float = 0.03
    """How far a hand strays, as a share of the height."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the line."""
    return {
        "thick": float(rng.uniform(settings.low, settings.high)),
        "gap": float(rng.uniform(0, settings.gap)),
        "ends": rng.uniform(-0.02, 0.05, 2).tolist(),
        "stray": float(rng.uniform(0, settings.unsteady)),
        "seed": draw_seed(rng),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Draw the line below the ink of an `(H, W)` coverage image (beside it where the line runs down)."""
    if image.shape[0] > 2 * image.shape[1]:
        return np.ascontiguousarray(apply(np.ascontiguousarray(image.T), params).T)
    rows = np.flatnonzero(image.max(axis=1) > 60)
    low = int(rows[-1]) + 1 if len(rows) else image.shape[0]
    top = low + round(params["gap"] * image.shape[0])
    return stroke(image, top, params)


def stroke(image: np.ndarray, top: int, params: dict[str, Any]) -> np.ndarray:
    """Draw a stroke along the line with its upper edge at row `top`; the canvas grows downwards if need be."""
    height, width = image.shape
    thick = max(1, round(params["thick"] * height))
    reach = params["stray"] * height
    need = top + thick + int(np.ceil(reach)) + 1
    canvas = np.zeros((max(height, need), width), np.uint8)
    canvas[:height] = image
    points = max(2, width // max(1, height))
    course = np.interp(np.linspace(0, points - 1, width), range(points), noise_rng(params).uniform(0, reach, points))
    first, last = (max(0, round(params["ends"][0] * width)), width - max(0, round(params["ends"][1] * width)))
    columns = np.arange(first, last)
    rows = np.rint(course[first:last]).astype(int) + top
    for extra in range(thick):
        canvas[rows + extra, columns] = 255
    return canvas
