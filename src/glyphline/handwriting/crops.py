"""Lines cut out of pages: boxes, polygons with the rest painted over, and writing straightened along its baseline."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glyphline import images
from glyphline.handwriting.pictures import paper, paper_of
from glyphline.settings import InputError

Points = tuple[tuple[float, float], ...]
"""Corners `(x, y)` in pixels of the page."""


@dataclass
class Cropping:
    """How lines are cut out of pages."""

    mask: bool = True
    """Paint what lies outside the line's polygon in the colour of the paper; without it neighbours stay in sight."""
    straighten: bool = True
    """Level the line along its baseline, where the set has one: curved and slanted lines become straight."""
    margin_px: int = 4
    """Pixels of the page kept around the line; with a mask the polygon grows by as much."""
    outline: Literal["polygon", "box"] = "polygon"
    """What is cut: the line's polygon where the set has one, or the box around it."""

    def __post_init__(self) -> None:
        """Check the margin."""
        if self.margin_px < 0:
            raise InputError(f"crop.margin_px is {self.margin_px}; it must not be negative")


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A line on a page; `size` is the page's width and height in the units of the points, (0, 0) for pixels."""

    page: str
    polygon: Points
    baseline: Points = ()
    size: tuple[float, float] = (0.0, 0.0)
    mask: bool = True
    margin_px: int = 4

    def load(self) -> np.ndarray:
        """Return the line. InputError where the page cannot be read or the polygon lies outside it."""
        image = _page(self.page)
        scale = _scale(image, self.size)
        polygon = np.asarray(self.polygon, np.float64) * scale
        baseline = np.asarray(self.baseline, np.float64).reshape(-1, 2) * scale
        try:
            if len(baseline) > 1 and np.ptp(baseline, axis=0).max() >= 2:
                return straightened(image, polygon, baseline, self.margin_px, self.mask)
            return cut(image, polygon, self.margin_px, self.mask)
        except InputError as error:
            raise InputError(f"{self.page}: {error}") from error

    def original(self) -> None:
        """Return None: a crop has no file of its own."""


def page_picture(page: str, polygon: Points, baseline: Points, size: tuple[float, float], how: Cropping) -> PagePicture:
    """Return the picture of a line cut as `how` says; `polygon` may be four corners of a box."""
    if how.outline == "box":
        xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
        polygon = ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
    chosen = baseline if how.straighten else ()
    return PagePicture(page, polygon, chosen, size, how.mask and how.outline == "polygon", how.margin_px)


_LOCK = threading.Lock()


def _page(path: str) -> np.ndarray:
    """Return a page; the last few are kept, and no two threads decode one at the same time."""
    with _LOCK:
        return _decoded(path)


@functools.lru_cache(maxsize=3)
def _decoded(path: str) -> np.ndarray:
    image = images.load(path)
    image.setflags(write=False)
    return image


def _scale(image: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Return pixels per unit, `(x, y)`: pages are often published smaller than they were annotated, or in 1/10 mm."""
    height, width = image.shape[:2]
    return np.asarray([width / size[0] if size[0] else 1.0, height / size[1] if size[1] else 1.0])


def cut(image: np.ndarray, polygon: np.ndarray, margin_px: int, mask: bool) -> np.ndarray:
    """Cut the box around a polygon `(N, 2)`, grown by a margin, the outside painted over where `mask` is set."""
    height, width = image.shape[:2]
    left, top = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - margin_px, 0)
    right, bottom = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + margin_px + 1, (width, height))
    if right - left < 2 or bottom - top < 2:
        raise InputError("the line lies outside the page or has no area")
    part = image[top:bottom, left:right]
    if not mask:
        return part.copy()
    return _painted(part, _filled(part.shape[:2], polygon - (left, top), margin_px))


def _filled(shape: tuple[int, int], polygon: np.ndarray, margin_px: int) -> np.ndarray:
    """Return uint8 1 inside the polygon grown by the margin, 0 outside."""
    import cv2

    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(polygon).astype(np.int32)], 1)
    if margin_px:
        inside = cv2.dilate(inside, np.ones((2 * margin_px + 1,) * 2, np.uint8))
    return inside


def _painted(part: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the part with everything outside in the colour of the paper inside."""
    held = part[inside > 0]
    painted = part.copy()
    painted[inside == 0] = paper_of(held) if len(held) else paper(part)
    return painted


def straightened(
    image: np.ndarray, polygon: np.ndarray, baseline: np.ndarray, margin_px: int, mask: bool
) -> np.ndarray:
    """Return the line with its baseline `(M, 2)` level: columns follow the baseline, rows its chord's normal.

    The picture reaches as far above, below, left and right of the baseline as the polygon does, plus the margin.
    """
    import cv2

    baseline = _ordered(baseline)
    chord = baseline[-1] - baseline[0]
    along = chord / np.linalg.norm(chord)
    down = np.asarray([-along[1], along[0]])
    origin = baseline[0]
    at = (baseline - origin) @ along
    keep = np.concatenate([[True], np.diff(at) > 1e-6])  # a baseline that runs back on itself has no height there
    at, drop = at[keep], ((baseline - origin) @ down)[keep]
    x, y = (polygon - origin) @ along, (polygon - origin) @ down
    y = y - np.interp(x, at, drop)
    left, right = np.floor(x.min()) - margin_px, np.ceil(x.max()) + margin_px
    top, bottom = np.floor(y.min()) - margin_px, np.ceil(y.max()) + margin_px
    if right - left < 2 or bottom - top < 2 or (right - left) * (bottom - top) > 4 * image.shape[0] * image.shape[1]:
        raise InputError("the line lies outside the page or has no area")
    columns, rows = np.arange(left, right + 1), np.arange(top, bottom + 1)
    offset = rows[:, None] + np.interp(columns, at, drop)[None, :]
    map_x = (origin[0] + columns[None, :] * along[0] + offset * down[0]).astype(np.float32)
    map_y = (origin[1] + columns[None, :] * along[1] + offset * down[1]).astype(np.float32)
    height, width = image.shape[:2]
    if map_x.max() < 0 or map_y.max() < 0 or map_x.min() > width or map_y.min() > height:
        raise InputError("the line lies outside the page or has no area")
    part = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if not mask:
        return part
    return _painted(part, _filled(part.shape[:2], np.stack([x - left, y - top], axis=1), margin_px))


def _ordered(baseline: np.ndarray) -> np.ndarray:
    """Return the baseline from left to right, or from top to bottom where it stands upright.

    Some archives store right-to-left lines from the right; their pictures are read from the left all the same.
    """
    dx, dy = baseline[-1] - baseline[0]
    return baseline[::-1] if (dx < 0 if abs(dx) >= abs(dy) else dy < 0) else baseline


def parse_points(text: str) -> Points:
    """Read `x,y x,y` (PAGE) or `x y x y` (ALTO) as points. ValueError where numbers are missing."""
    numbers = [float(number) for number in text.replace(",", " ").split()]
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers are not pairs")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))
