"""No two letters alike: every glyph is turned, scaled, slanted and spaced a little by itself, as a hand does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glyphline.render.effects import draw_seed, noise_rng
from glyphline.render.shaping import Layout, cluster_numbers, word_numbers

STAGE = "layout"


@dataclass(frozen=True)
class Settings:
    """Standard deviations."""

    degrees: float = 2.0
    """Of the turn of a letter."""
    scale: float = 0.05
    """Of its width and of its height, as a share."""
    slant: float = 0.05
    """Of its slant, as a tangent."""
    space: float = 0.02
    """Of the space after it, in ems."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw how unsteady this hand is, and the seed of the letters."""
    steadiness = float(rng.uniform(0.3, 1.0))
    keys = ("degrees", "scale", "slant", "space")
    return {key: getattr(settings, key) * steadiness for key in keys} | {"seed": draw_seed(rng)}


def apply(image: Layout, params: dict[str, Any]) -> Layout:
    """Give each letter of a layout (each word where letters touch) a transform of its own."""
    groups = word_numbers(image) if image.joined else cluster_numbers(image)
    if not len(groups):
        return image
    count = int(groups.max()) + 1
    noise = np.clip(noise_rng(params).standard_normal((5, count)), -2.5, 2.5)
    turn = np.radians(params["degrees"] * noise[0]) * (0.3 if image.joined else 1.0)
    wide, high = 1 + params["scale"] * noise[1], 1 + params["scale"] * noise[2]
    slant = params["slant"] * noise[3]
    cos, sin = np.cos(turn), np.sin(turn)
    # rotation after slant after scale, as columns of (x, y)
    own = np.empty((count, 2, 2))
    own[:, 0, 0], own[:, 0, 1] = cos * wide, (cos * slant - sin) * high
    own[:, 1, 0], own[:, 1, 1] = sin * wide, (sin * slant + cos) * high
    before = np.eye(2)[None] if image.transforms is None else image.transforms
    shift = np.cumsum(params["space"] * noise[4])[groups] * image.size_px
    x, y = _about_starts(image, groups, own[groups])
    moved = {"y": y - shift, "x": x} if image.vertical else {"x": x + shift, "y": y}
    return replace(image, transforms=own[groups] @ before, **moved)


def _about_starts(image: Layout, groups: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn each glyph's origin about the start of its group on the baseline, so that marks stay on their letters."""
    first = np.full(int(groups.max()) + 1, np.inf)
    np.minimum.at(first, groups, image.x)
    offset = np.stack([image.x - first[groups], np.zeros_like(image.y) if image.vertical else image.y], axis=1)
    turned = (own @ offset[:, :, None])[:, :, 0]
    return first[groups] + turned[:, 0], image.y if image.vertical else turned[:, 1]
