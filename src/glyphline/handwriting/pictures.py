"""From a reader's picture to the line that is stored: margin, straightening, size; own bytes where nothing changes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glyphline import images
from glyphline.handwriting.raw import Picture
from glyphline.settings import InputError


@dataclass
class Shape:
    """What is done to every picture."""

    deskew: bool = False
    """Turn each line level by the direction in which its ink makes the sharpest rows (up to 5 degrees)."""
    margin_px: int = 0
    """Rows and columns of paper added on every side."""
    most_height_px: int = 0
    """Higher pictures are scaled down to this; 0 keeps their size."""
    format: Literal["keep", "png", "jpeg"] = "keep"
    """How pictures are stored. `keep` stores a file's own bytes where the picture is not changed, else PNG."""
    quality: int = 92
    """JPEG quality."""


def prepared(picture: Picture, shape: Shape) -> np.ndarray:
    """Load a picture and apply the shape; uint8 `(H, W)` or `(H, W, 3)`. InputError where it cannot be read."""
    return _shaped(picture.load(), shape)


def stored(picture: Picture, shape: Shape) -> bytes:
    """Return the bytes that are written for a picture, and nothing that a plain decoder would show otherwise."""
    data = picture.original() if shape.format == "keep" else None
    if data is not None and _plain(data, shape):
        return data
    image = _shaped(picture.load(), shape)
    return images.encode(image, "jpeg" if shape.format == "jpeg" else "png", shape.quality)


def _plain(data: bytes, shape: Shape) -> bool:
    """Tell whether a file is an 8-bit grey or RGB JPEG or PNG, not rotated or transparent, that stays as it is."""
    from PIL import Image

    if shape.deskew or shape.margin_px > 0:
        return False
    with Image.open(io.BytesIO(data)) as picture:
        plain = picture.format in ("JPEG", "PNG") and picture.mode in ("L", "RGB")
        plain = plain and not 0 < shape.most_height_px < picture.height
        return plain and picture.getexif().get(0x0112, 1) == 1 and "transparency" not in picture.info


def _shaped(image: np.ndarray, shape: Shape) -> np.ndarray:
    if 0 in image.shape:
        raise InputError("the picture has no pixels")
    if shape.deskew:
        image = deskewed(image)
    if shape.margin_px > 0:
        image = with_margin(image, shape.margin_px)
    if shape.most_height_px and image.shape[0] > shape.most_height_px:
        image = scaled(image, shape.most_height_px)
    return image


def paper(image: np.ndarray) -> tuple[int, ...]:
    """Return the colour of the paper at the border of a picture."""
    return paper_of(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]))


def paper_of(pixels: np.ndarray) -> tuple[int, ...]:
    """Return the colour of the lightest fifth of pixels `(N,)` or `(N, 3)`, its median: ink may cover most of them."""
    light = pixels.mean(axis=1) if pixels.ndim == 2 else pixels
    chosen = pixels[light >= np.percentile(light, 80)]
    return tuple(int(value) for value in np.atleast_1d(np.median(chosen, axis=0)))


def with_margin(image: np.ndarray, margin_px: int) -> np.ndarray:
    """Put a border of paper around a picture."""
    import cv2

    return cv2.copyMakeBorder(image, *(margin_px,) * 4, cv2.BORDER_CONSTANT, value=paper(image))


def scaled(image: np.ndarray, height_px: int) -> np.ndarray:
    """Scale a picture to a height, aspect kept."""
    import cv2

    width_px = max(1, round(image.shape[1] * height_px / image.shape[0]))
    smaller = height_px < image.shape[0]
    return cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def skew_degrees(image: np.ndarray, most: float = 5.0, step: float = 0.25) -> float:
    """Return by how much the writing falls to the right: the shear under which the rows' ink varies most.

    (Postl 1986, projection profiles.) Rows are compared on a picture of at most 64 px height.
    """
    grey = images.to_grey(image)
    small = scaled(grey, 64) if grey.shape[0] > 64 else grey
    ink = np.clip(float(np.median(small)) - small.astype(np.float32), 0, None)
    best, best_score = 0.0, -1.0
    for degrees in np.arange(-most, most + step / 2, step):
        score = float(np.var(_sheared(ink, degrees, (0.0,)).sum(axis=1)))
        # Zero is kept unless another angle is clearly better: a line of three letters has no direction.
        if score > best_score * (1.02 if best == 0.0 else 1.0) or (degrees == 0.0 and score * 1.02 >= best_score):
            best, best_score = float(degrees), score
    return best


def _sheared(image: np.ndarray, degrees: float, fill: tuple) -> np.ndarray:
    """Move every column up by its share of the slope; the picture grows so that no ink is cut."""
    import cv2

    height, width = image.shape[:2]
    slope = float(np.tan(np.radians(degrees)))
    rise = abs(slope) * width
    matrix = np.float32([[1, 0, 0], [-slope, 1, rise if slope > 0 else 0.0]])
    size = (width, height + int(np.ceil(rise)))
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)


def deskewed(image: np.ndarray) -> np.ndarray:
    """Turn the writing level by shearing columns (letters keep their width); filled with paper."""
    degrees = skew_degrees(image)
    return image if abs(degrees) < 0.25 else _sheared(image, degrees, paper(image))
