"""Fragments of the lines above and below, as crops from a page have them; they keep clear of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

STAGE = "crop"


@dataclass(frozen=True)
class Settings:
    """How much of the neighbours shows."""

    low: float = 0.05
    """Least height of a fragment, as a share of the line's."""
    high: float = 0.2
    """Largest height of a fragment, as a share of the line's."""
    gap: float = 0.08
    """Least distance between fragment and text, as a share of the line's height."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw which neighbours show, how much of each, and how they are shifted."""
    sides = int(rng.integers(1, 4))
    return {
        "above": float(rng.uniform(settings.low, settings.high)) * (sides & 1),
        "below": float(rng.uniform(settings.low, settings.high)) * (sides >> 1),
        "shifts": rng.uniform(0.15, 0.85, 2).tolist(),
        "gaps": (settings.gap * rng.uniform(1, 3, 2)).tolist(),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Fill the upper and lower margins of an `(H, W)` coverage image with feet and heads of its own letters."""
    if image.shape[0] > 2 * image.shape[1]:
        return np.ascontiguousarray(apply(np.ascontiguousarray(image.T), params).T)
    rows = np.flatnonzero(image.max(axis=1) > 60)
    if not len(rows):
        return image
    first, last = int(rows[0]), int(rows[-1]) + 1
    height, result = last - first, image.copy()
    above = min(round(params["above"] * height), first - round(params["gaps"][0] * height))
    below = min(round(params["below"] * height), image.shape[0] - last - round(params["gaps"][1] * height))
    if above > 0:
        result[:above] = np.roll(image[last - above : last], round(params["shifts"][0] * image.shape[1]), axis=1)
    if below > 0:
        strip = image[first : first + below]
        result[image.shape[0] - below :] = np.roll(strip, round(params["shifts"][1] * image.shape[1]), axis=1)
    return result
