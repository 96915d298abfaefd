"""Black and white, as a fax or a bilevel scan has it, with specks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.images import to_grey
from glyphline.render.effects import draw_seed, noise_rng

STAGE = "picture"


@dataclass(frozen=True)
class Settings:
    """Threshold and dirt."""

    low: float = -0.12
    """Lowest threshold, relative to the middle between ink and paper."""
    high: float = 0.15
    """Highest threshold, relative to the middle between ink and paper."""
    specks: float = 0.0015
    """Largest share of pixels that flip."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the threshold and the seed of the specks."""
    return {
        "shift": float(rng.uniform(settings.low, settings.high)),
        "specks": float(rng.uniform(0, settings.specks)),
        "seed": draw_seed(rng),
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Return an `(H, W)` image of 0 and 255, `(H, W, 3)` from colour, split at Otsu's threshold, shifted."""
    grey = to_grey(image)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    light = cv2.threshold(grey, level, 255, cv2.THRESH_BINARY)[1]
    count = cv2.countNonZero(light)
    span = cv2.mean(grey, light)[0] - cv2.mean(grey, cv2.bitwise_not(light))[0] if 0 < count < grey.size else 0.0
    result = cv2.threshold(grey, level + params["shift"] * span, 255, cv2.THRESH_BINARY)[1]
    count = int(params["specks"] * result.size)
    if count:
        places = noise_rng(params).integers(0, result.size, count)
        result.flat[places] = 255 - result.flat[places]
    return result if image.ndim == 2 else np.repeat(result[:, :, None], 3, axis=2)
