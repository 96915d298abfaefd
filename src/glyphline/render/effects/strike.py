"""A line drawn through the text; the label stays, as a reader can still read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphline.render.effects import draw_seed
from glyphline.render.effects.underline import stroke

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Thickness and place."""

    low: float = 0.02
    """Least thickness, as a share of the height."""
    high: float = 0.045
    """Largest thickness, as a share of the height: thin enough to leave letters readable."""
    unsteady: float = 0.05
    """How far a hand strays, as a share of the height."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the line."""
    return {
        "thick": float(rng.uniform(settings.low, settings.high)),
        "place": float(rng.uniform(0.45, 0.65)),
        "ends": rng.uniform(-0.02, 0.05, 2).tolist(),
        "stray": float(rng.uniform(0, settings.unsteady)),
        "seed": draw_seed(rng),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Draw the line through the ink of an `(H, W)` coverage image."""
    if image.shape[0] > 2 * image.shape[1]:
        return np.ascontiguousarray(apply(np.ascontiguousarray(image.T), params).T)
    return stroke(image, round(params["place"] * image.shape[0]), params)
