"""Colour of the ink, between two colours."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphline.settings import InputError

STAGE = "tone"


@dataclass(frozen=True)
class Settings:
    """Two colours; each channel is drawn between theirs."""

    low: str = "#000000"
    """One end, as #rrggbb."""
    high: str = "#303060"
    """The other end."""
    together: bool = False
    """Draw one place between the two for all channels: shades of one ink, not a mixture."""

    def __post_init__(self) -> None:
        for color in (self.low, self.high):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
                raise InputError(f"color: {color!r} is not #rrggbb")


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a colour."""
    places = [float(rng.random())] * 3 if settings.together else rng.random(3).tolist()
    ends = _channels(settings.low), _channels(settings.high)
    return {"color": [round(a + (b - a) * t) for a, b, t in zip(*ends, places, strict=True)]}


@functools.lru_cache(maxsize=64)
def _channels(color: str) -> tuple[int, ...]:
    return tuple(int(color[n : n + 2], 16) for n in (1, 3, 5))


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Return the colour in place of the ink's `(1, 1, 3)`; any picture is dyed as a whole."""
    return np.full(image.shape, params["color"] if image.ndim == 3 else round(sum(params["color"]) / 3), np.uint8)
