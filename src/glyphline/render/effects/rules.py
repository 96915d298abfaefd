"""Ruled and squared paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

STAGE = "paper"


@dataclass(frozen=True)
class Settings:
    """Kind and strength of the lines."""

    kind: Literal["ruled", "grid", "any"] = "any"
    """Lines along the text, or both ways."""
    low: float = 15.0
    """Weakest line, in grey values."""
    high: float = 80.0
    """Strongest line, in grey values."""
    color: bool = False
    """Blue or red lines; makes the picture RGB."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw distance, place, strength and colour."""
    grid = settings.kind == "grid" or (settings.kind == "any" and bool(rng.integers(3) == 0))
    hues = ((1.0, 1.0, 1.0), (1.0, 0.7, 0.25), (0.3, 1.0, 1.0))
    return {
        "grid": grid,
        "distance": float(rng.uniform(0.35, 0.6) if grid else rng.uniform(0.8, 1.2)),
        "place": rng.random(2).tolist(),
        "strength": float(rng.uniform(settings.low, settings.high)),
        "hue": list(hues[int(rng.integers(len(hues)))]) if settings.color else [1.0, 1.0, 1.0],
        "thick": int(rng.integers(1, 3)),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Draw the lines on an `(H, W)` or `(H, W, 3)` paper."""
    colored = len(set(params["hue"])) > 1
    result = np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 and colored else image.copy()
    em = min(image.shape[:2])
    loss = params["strength"] * np.array(params["hue"] if result.ndim == 3 else [1.0])
    step = max(4.0, params["distance"] * em)
    along, across = (0, 1) if image.shape[1] >= image.shape[0] else (1, 0)
    for axis in (along, across) if params["grid"] else (along,):
        side = result.shape[axis]
        for start in np.arange(params["place"][axis] * step, side, step).astype(int):
            band = result[start : start + params["thick"]] if axis == 0 else result[:, start : start + params["thick"]]
            band[:] = np.clip(band - loss, 0, 255).astype(np.uint8)
    return result
