"""Pen pressure: strokes grow thicker and thinner, darker and lighter along the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from glyphline.render.effects import draw_seed, noise_rng

STAGE = "ink"

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Settings:
    """How much the pressure changes."""

    thick: float = 0.8
    """Most that strokes gain, in pixels."""
    thin: float = 0.4
    """Most that strokes lose, in pixels."""
    fade: float = 0.35
    """Most that ink loses, as a share."""


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw the strength and the seed of the course of pressure."""
    strength = float(rng.uniform(0.3, 1.0))
    keys = ("thick", "thin", "fade")
    return {key: getattr(settings, key) * strength for key in keys} | {"seed": draw_seed(rng)}


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Vary the strokes of an `(H, W)` coverage image."""
    image = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    height, width = image.shape
    coarse = max(2, round(2 * height / min(height, width))), max(2, round(1.6 * width / min(height, width)))
    course = noise_rng(params).integers(0, 256, coarse, dtype=np.uint8)
    course = cv2.resize(course, (width, height), interpolation=cv2.INTER_LINEAR)
    # Above the middle the pen presses, below it lifts; either is at most 127.
    pressed, lifted = cv2.subtract(course, 128), cv2.subtract(127, course)
    gain = cv2.multiply(cv2.subtract(cv2.dilate(image, _CROSS), image), pressed, scale=params["thick"] / 127)
    loss = cv2.multiply(cv2.subtract(image, cv2.erode(image, _CROSS)), lifted, scale=params["thin"] / 127)
    ink = cv2.subtract(cv2.add(image, gain), loss)
    return cv2.subtract(ink, cv2.multiply(ink, lifted, scale=params["fade"] / 127))
