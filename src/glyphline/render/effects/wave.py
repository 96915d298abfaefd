"""Waves through the line, as TRDG's distortions draw them: sine, cosine or random, up and down or sideways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from glyphline.render.effects import draw_seed, noise_rng, paper_of

STAGE = "ink"


@dataclass(frozen=True)
class Settings:
    """Kind and size of the waves."""

    shape: Literal["sine", "cosine", "random"] = "sine"
    """Their form; random moves every column (or row) by itself."""
    axis: Literal["vertical", "horizontal", "both"] = "vertical"
    """Direction in which the pixels move."""
    amplitude: float = 0.08
    """Largest shift, as a share of the height."""
    length: float = 1.6
    """Length of a wave, in heights."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the seed of random waves."""
    keys = ("shape", "axis", "amplitude", "length")
    return {key: getattr(settings, key) for key in keys} | {"seed": draw_seed(rng)}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Move columns and rows of an `(H, W)` or `(H, W, 3)` image; the canvas grows by the amplitude."""
    em = min(image.shape[:2])
    reach = max(1, round(params["amplitude"] * em))
    vertical, horizontal = params["axis"] != "horizontal", params["axis"] != "vertical"
    sides = [reach * vertical] * 2 + [reach * horizontal] * 2
    image = cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=paper_of(image))
    height, width = image.shape[:2]
    rng = noise_rng(params)
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    x, y = np.meshgrid(across, down)
    if vertical:
        y = y + reach * _wave(across, params, em, rng)[None, :]
    if horizontal:
        x = x + reach * _wave(down, params, em, rng)[:, None]
    fill = paper_of(image)
    return cv2.remap(image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=fill)


def _wave(positions: np.ndarray, params: dict[str, Any], em: int, rng: np.random.Generator) -> np.ndarray:
    """Return the shift at each position, between -1 and 1."""
    if params["shape"] == "random":
        return rng.uniform(-1, 1, len(positions)).astype(np.float32)
    phase = 2 * np.pi * positions / max(1.0, params["length"] * em)
    return (np.sin(phase) if params["shape"] == "sine" else np.cos(phase)).astype(np.float32)
