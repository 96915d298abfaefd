"""Fibres and clouds in the paper: recycled or handmade."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline import seeds

STAGE = "paper"

_HIGH, _WIDE = 384, 3072


@dataclass(frozen=True)
class Settings:
    """Strength."""

    low: float = 0.3
    """Weakest."""
    high: float = 1.0
    """Strongest."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a strength and a place on the sheet."""
    row, column = rng.integers(0, [_HIGH, _WIDE]).tolist()
    return {"strength": float(rng.uniform(settings.low, settings.high)), "row": row, "column": column}


@functools.cache
def _sheet() -> np.ndarray:
    """Return one fixed sheet around 128, twice either way: clouds of three sizes and 2,500 fibres."""
    rng = seeds.rng(0, "sheet of paper")
    sheet = np.zeros((_HIGH, _WIDE), np.float32)
    for cell, weight in ((48, 7.0), (12, 4.0), (3, 4.0)):
        coarse = rng.standard_normal((_HIGH // cell, _WIDE // cell)).astype(np.float32)
        sheet += weight * cv2.resize(coarse, (_WIDE, _HIGH), interpolation=cv2.INTER_CUBIC)
    fibres = np.zeros((_HIGH, _WIDE), np.float32)
    for _ in range(2500):
        x, y, angle = rng.uniform(0, _WIDE), rng.uniform(0, _HIGH), rng.uniform(0, np.pi)
        bend, length = rng.normal(0, 0.5), rng.uniform(6, 26)
        steps = np.linspace(0, 1, 6)
        turns = angle + bend * steps
        points = np.stack(
            [x + np.cumsum(np.cos(turns)) * length / 6, y + np.cumsum(np.sin(turns)) * length / 6], axis=1
        )
        shade = float(rng.choice([-26.0, -16.0, 14.0]))
        cv2.polylines(fibres, [np.rint(points * 8).astype(np.int32)], False, shade, 1, cv2.LINE_AA, 3)
    sheet = np.clip(np.rint(128 + sheet + cv2.GaussianBlur(fibres, (3, 3), 0.6)), 0, 255).astype(np.uint8)
    return np.tile(sheet, (2, 2))


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Lay the sheet's structure on an `(H, W)` or `(H, W, 3)` paper; the sheet goes round."""
    height, width = image.shape[:2]
    sheet, row, column = _sheet(), params["row"], params["column"]
    if row + height <= 2 * _HIGH and column + width <= 2 * _WIDE:
        piece = sheet[row : row + height, column : column + width]
    else:
        piece = sheet[np.arange(row, row + height) % _HIGH][:, np.arange(column, column + width) % _WIDE]
    if image.ndim == 3:
        piece = cv2.cvtColor(piece, cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, 1.0, piece, params["strength"], -128.0 * params["strength"])
