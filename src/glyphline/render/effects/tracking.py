"""Space between letters; between words only where the letters of a script touch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glyphline.render.shaping import Layout, cluster_numbers, word_numbers

STAGE = "layout"


@dataclass(frozen=True)
class Settings:
    """Range of the extra space."""

    low: float = 0.0
    """Least, in ems; negative brings letters together."""
    high: float = 0.0
    """Most, in ems."""
    low_px: float = 0.0
    """Least, in pixels; added to the other."""
    high_px: float = 0.0
    """Most, in pixels."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the space after each letter."""
    chance = float(rng.random())
    return {
        "em": settings.low + (settings.high - settings.low) * chance,
        "px": settings.low_px + (settings.high_px - settings.low_px) * chance,
    }


def apply(image: Layout, params: dict[str, Any]) -> Layout:
    """Move the glyphs of a layout apart, those of one letter together."""
    numbers = word_numbers(image) if image.joined else cluster_numbers(image)
    shift = numbers * (params["em"] * image.size_px + params["px"])
    if image.vertical:
        return replace(image, y=image.y - shift)
    return replace(image, x=image.x + shift)
