"""Photographs of paper, tables and walls as background, from a folder."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glyphline.images import load
from glyphline.settings import InputError

STAGE = "paper"

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Settings:
    """Where the photographs are, and how much lighter they are made."""

    folder: str = ""
    """Folder of pictures; empty: TextRecognitionDataGenerator's own, where it is installed."""
    lighten: float = 0.35
    """Share of white mixed in, so that dark ink stays readable."""
    color: bool = True
    """Keep their colours."""

    def __post_init__(self) -> None:
        if self.folder and not Path(self.folder).is_dir():
            raise InputError(f"photograph.folder: {self.folder}: no such folder")
        if self.folder and not photographs(self.folder):
            raise InputError(f"photograph.folder: {self.folder}: holds no pictures ({', '.join(_SUFFIXES)})")


@functools.lru_cache(maxsize=16)
def photographs(folder: str) -> tuple[str, ...]:
    """Return the picture files in a folder, sorted by name."""
    place = Path(folder) if folder else _packaged()
    return tuple(str(file) for file in sorted(place.iterdir()) if file.suffix.lower() in _SUFFIXES)


def _packaged() -> Path:
    """Return the pictures that come with trdg. InputError where it is not installed."""
    from importlib.util import find_spec

    found = find_spec("trdg")
    if found is None or not found.submodule_search_locations:
        raise InputError("photograph.folder: not given, and trdg, which brings pictures, is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "images"


def inputs(settings: Settings) -> dict[str, str]:
    """Return what the pixels depend on outside the settings: the photographs' digest."""
    digests = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in photographs(settings.folder)]
    return {"photographs": hashlib.sha256("".join(digests).encode()).hexdigest()}


@functools.lru_cache(maxsize=32)
def _read(path: str) -> np.ndarray:
    picture = load(path)
    scale = 1600 / max(picture.shape[:2])
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture


def sample(rng: np.random.Generator, settings: Settings) -> dict[str, Any]:
    """Draw a photograph, a place in it and a side to turn up."""
    files = photographs(settings.folder)
    return {
        "file": files[int(rng.integers(len(files)))],
        "place": rng.random(2).tolist(),
        "flips": rng.integers(0, 2, 2).tolist(),
        "lighten": settings.lighten,
        "color": settings.color,
    }


def apply(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Return a piece of the photograph in place of an `(H, W)` or `(H, W, 3)` paper; enlarged if it is too small."""
    height, width = image.shape[:2]
    photo = _read(params["file"])
    if not params["color"] and photo.ndim == 3:
        photo = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    photo = photo[:: -1 if params["flips"][0] else 1, :: -1 if params["flips"][1] else 1]
    scale = max(height / photo.shape[0], width / photo.shape[1], 0.0)
    if scale > 1:
        size = int(photo.shape[1] * scale) + 1, int(photo.shape[0] * scale) + 1
        photo = cv2.resize(np.ascontiguousarray(photo), size, interpolation=cv2.INTER_LINEAR)
    top = int(params["place"][0] * (photo.shape[0] - height + 1))
    left = int(params["place"][1] * (photo.shape[1] - width + 1))
    piece = np.ascontiguousarray(photo[top : top + height, left : left + width])
    return cv2.convertScaleAbs(piece, alpha=1 - params["lighten"], beta=255 * params["lighten"])
