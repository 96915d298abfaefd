"""An uneven baseline: a slow wave through the line, and each letter a little up or down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glyphline.render.effects import draw_seed, noise_rng
from glyphline.render.shaping import Layout, cluster_numbers, word_numbers

STAGE = "layout"


@dataclass(frozen=True)
class Settings:
    """How uneven."""

    wave: float = 0.04
    """Largest height of the wave, in ems."""
    jitter: float = 0.01
    """Standard deviation of each letter's own shift, in ems; of each word's where letters touch."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the wave and the seed of the letters' shifts."""
    return {
        "height": float(rng.uniform(0, settings.wave)),
        "length": float(rng.uniform(4, 16)),
        "phase": float(rng.uniform(0, 2 * np.pi)),
        "jitter": float(rng.uniform(0, settings.jitter)),
        "seed": draw_seed(rng),
    }


def apply(image: Layout, params: dict[str, Any]) -> Layout:
    """Move the glyphs of a layout across the line, those of one letter (or touching word) together."""
    groups = word_numbers(image) if image.joined else cluster_numbers(image)
    if not len(groups):
        return image
    along = -image.y if image.vertical else image.x
    starts = np.full(int(groups.max()) + 1, np.inf)
    np.minimum.at(starts, groups, along)
    own = noise_rng(params).standard_normal(len(starts)) * params["jitter"]
    wave = np.sin(starts / (image.size_px * params["length"]) * 2 * np.pi + params["phase"]) * params["height"]
    shift = ((own + wave) * image.size_px)[groups]
    return replace(image, x=image.x + shift) if image.vertical else replace(image, y=image.y + shift)
