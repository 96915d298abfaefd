"""Width of the spaces between words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glyphline.render.shaping import Layout, spaces_before

STAGE = "layout"


@dataclass(frozen=True)
class Settings:
    """Range of the factor; 1 is the font's own space."""

    low: float = 0.7
    """Narrowest."""
    high: float = 1.6
    """Widest."""
    each: bool = False
    """Draw every space for itself, as a hand does."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a factor, or a row of them that the spaces take in turn."""
    count = 17 if settings.each else 1
    return {"factors": rng.uniform(settings.low, settings.high, count).tolist()}


def apply(image: Layout, params: dict[str, Any]) -> Layout:
    """Widen or narrow the spaces of a layout by a share of a quarter em each."""
    before = spaces_before(image)
    if not len(before):
        return image
    factors = np.resize(np.array(params["factors"]), int(before.max(initial=0)) + 1)
    total = np.concatenate([[0.0], np.cumsum(factors - 1)])[before] * image.size_px * 0.27
    if image.vertical:
        return replace(image, y=image.y - total)
    return replace(image, x=image.x + total)
