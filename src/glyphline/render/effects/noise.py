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
_LEVELS = 16


@dataclass(frozen=True)
class Settings:
    """Range of the noise."""

    low: float = 1.0
    """Smallest standard deviation, in grey values."""
    high: float = 10.0
    """Largest standard deviation, in grey values."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a strength and a place in the field of noise."""
    chance, row, column = rng.random(3).tolist()
    return {"sigma": settings.low + (settings.high - settings.low) * chance, "row": row, "column": column}


@functools.lru_cache(maxsize=_LEVELS)
def _field(level: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what one fixed field of noise adds and what it takes (a fresh one a picture costs more than all else)."""
    field = seeds.rng(0, "noise field").standard_normal((_SIDE, _LONG), dtype=np.float32) * level
    return tuple(np.clip(np.rint(sign * field), 0, 255).astype(np.uint8) for sign in (1, -1))


@functools.lru_cache(maxsize=_LEVELS)
def _laid_on(grey: int, level: int) -> tuple[np.ndarray]:
    """Return the field laid on paper of one grey."""
    more, less = _field(level)
    sheet = cv2.subtract(cv2.add(np.full_like(more, grey), more), less)
    sheet.setflags(write=False)
    return (sheet,)


def on_plain(shape: tuple[int, int], grey: int, params: dict[str, Any]) -> np.ndarray:
    """Return what `apply` makes of an `(H, W)` paper of one grey: a window, not to be written to."""
    return _cut(_laid_on(grey, max(1, min(_LEVELS, round(params["sigma"])))), *shape, params)[0]


def windows(height: int, width: int, params: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return `(height, width)` of the field from a place on: what it adds and what it takes."""
    return _cut(_field(max(1, min(_LEVELS, round(params["sigma"])))), height, width, params)


def _cut(fields: tuple[np.ndarray, ...], height: int, width: int, params: dict[str, Any]) -> tuple[np.ndarray, ...]:
    if height > _SIDE or width > _LONG:
        tiles = -(-height // _SIDE), -(-width // _LONG)
        fields = tuple(np.tile(field, tiles) for field in fields)
    row = int(params["row"] * (fields[0].shape[0] - height + 1))
    column = int(params["column"] * (fields[0].shape[1] - width + 1))
    return tuple(field[row : row + height, column : column + width] for field in fields)


def add_noise(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Add the field to an `(H, W)` or `(H, W, 3)` image in two saturating steps: no floats, no copies."""
    more, less = windows(*image.shape[:2], params)
    if image.ndim == 3:
        more, less = cv2.cvtColor(more, cv2.COLOR_GRAY2RGB), cv2.cvtColor(less, cv2.COLOR_GRAY2RGB)
    result = cv2.add(image, more)
    return cv2.subtract(result, less, dst=result)


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Add noise to an `(H, W)` or `(H, W, 3)` image."""
    return add_noise(image, params)
