"""Noise of a sensor or of grainy paper: Gaussian, the same in all colours."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline import seeds

STAGE = "picture"

_SIDE, _LONG = 256, 4096
_LEVELS = 24


@dataclass(frozen=True)
class Settings:
    """Range of the noise."""

    low: float = 1.0
    """Smallest standard deviation, in grey values."""
    high: float = 10.0
    """Largest standard deviation, in grey values."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a strength and a place in the field of noise."""
    row, column = rng.integers(0, [_SIDE, _LONG]).tolist()
    return {"sigma": float(rng.uniform(settings.low, settings.high)), "row": row, "column": column}


@functools.lru_cache(maxsize=_LEVELS)
def _field(level: int) -> np.ndarray:
    """Return one fixed field of noise around 128 (a fresh one for each picture costs more than all else)."""
    field = seeds.rng(0, "noise field").standard_normal((_SIDE, _LONG), dtype=np.float32)
    return np.clip(np.rint(128 + field * level), 0, 255).astype(np.uint8)


def window(height: int, width: int, params: dict[str, Any]) -> np.ndarray:
    """Return `(height, width)` of the field from a place on, around 128; the field goes round."""
    field = _field(max(1, min(_LEVELS, round(params["sigma"]))))
    row, column = params["row"] % _SIDE, params["column"] % _LONG
    if row + height <= _SIDE and column + width <= _LONG:
        return field[row : row + height, column : column + width]
    rows, columns = np.arange(row, row + height) % _SIDE, np.arange(column, column + width) % _LONG
    return field[rows][:, columns]


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Add noise to an `(H, W)` or `(H, W, 3)` image."""
    field = window(*image.shape[:2], params)
    if image.ndim == 3:
        field = cv2.cvtColor(field, cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, 1.0, field, 1.0, -128.0)
