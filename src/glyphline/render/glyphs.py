"""From placed glyphs to ink: HarfBuzz's rasteriser, one bitmap a glyph kept per (face, size), pasted into an array."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import uharfbuzz as hb

from glyphline.render.shaping import SUBPIXELS, Layout, hb_font

CACHE_BYTES = 96 * 2**20
"""Bitmaps kept per process; the least recently used (face, size) goes first."""
MAX_SIDE_PX = 32768
"""No line is drawn longer or higher than this."""


class Glyph(NamedTuple):
    """A glyph's ink: `(h, w)` coverage, and where it lies from the origin (left to the right, top upwards)."""

    ink: np.ndarray
    left: int
    top: int
    width: int
    bottom: int


class Ink(NamedTuple):
    """A drawn line: `(H, W)` uint8 coverage, 255 full ink, cut to its ink, and where the line's origin lies in it."""

    image: np.ndarray
    baseline: int
    """Row of the baseline from the top (may lie outside)."""
    origin: int
    """Column of the line's start."""


@functools.cache
def _rasteriser() -> Any:  # noqa: ANN401
    draw = hb.RasterDraw()
    draw.scale_factor = (SUBPIXELS, SUBPIXELS)
    return draw


def _to_array(image: Any) -> tuple[np.ndarray, int, int] | None:  # noqa: ANN401
    """Return (coverage with row 0 on top, left, top) of a RasterImage cut to its ink, None where it has none."""
    extents = image.extents if image is not None else None
    if extents is None or not extents.width or not extents.height:
        return None
    rows = np.frombuffer(image.buffer, np.uint8).reshape(extents.height, extents.stride)[::-1, : extents.width]
    across, down = np.flatnonzero(rows.any(axis=0)), np.flatnonzero(rows.any(axis=1))
    if not len(across):
        return None
    ink = np.ascontiguousarray(rows[down[0] : down[-1] + 1, across[0] : across[-1] + 1])
    return ink, extents.x_origin + int(across[0]), extents.y_origin + extents.height - int(down[0])


class GlyphCache:
    """Bitmaps by (face, size); never more bytes than allowed, never anything that changes a pixel."""

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._tables: OrderedDict[tuple[str, int, int], dict[int, Glyph | None]] = OrderedDict()
        self._sizes: dict[tuple[str, int, int], int] = {}

    def table(self, path: str, index: int, size_px: int) -> dict[int, Glyph | None]:
        """Return the bitmaps of a face at a size, by glyph id; to be filled by `glyph`."""
        key = (path, index, size_px)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = {}
            self._sizes[key] = 0
        self._tables.move_to_end(key)
        return table

    def glyph(self, path: str, index: int, size_px: int, number: int) -> Glyph | None:
        """Return a glyph's bitmap, drawn now if need be; None where it has no ink."""
        table = self.table(path, index, size_px)
        if number in table:
            return table[number]
        draw = _rasteriser()
        draw.transform = (1, 0, 0, 1, 0, 0)
        draw.draw_glyph(hb_font(path, index, size_px), number)
        found = _to_array(draw.render())
        table[number] = Glyph(*found, found[0].shape[1], found[2] - found[0].shape[0]) if found else None
        cost = 200 + (found[0].size if found else 0)
        self._sizes[path, index, size_px] += cost
        self.bytes += cost
        while self.bytes > self.limit_bytes and len(self._tables) > 1:
            key, _ = self._tables.popitem(last=False)
            self.bytes -= self._sizes.pop(key)
        return table[number]


@functools.cache
def shared_cache() -> GlyphCache:
    """Return the process's glyph cache."""
    return GlyphCache()


def draw(layout: Layout, cache: GlyphCache | None = None) -> Ink | None:
    """Draw a layout; None where nothing has ink. Positions are rounded to pixels unless glyphs are transformed."""
    if layout.transforms is not None:
        return _draw_outlines(layout)
    placed = _bitmaps(layout, cache or shared_cache())
    if not placed:
        return None
    left = min([box[1] for box in placed])
    right = max([box[2] for box in placed])
    top = max([box[3] for box in placed])
    bottom = min([box[4] for box in placed])
    if right - left > MAX_SIDE_PX or top - bottom > MAX_SIDE_PX:
        return None
    return Ink(_paste(placed, left, top, (top - bottom, right - left)), top, -left)


def _bitmaps(layout: Layout, cache: GlyphCache) -> list[tuple[np.ndarray, int, int, int, int]]:
    """Return (ink, left, right, top, bottom) of each glyph that has ink, from the line's origin, upwards."""
    faces, size = layout.faces, layout.size_px
    tables = [cache.table(face.path, face.index, size) for face in faces]
    xs, ys = np.rint(layout.x).astype(int).tolist(), np.rint(layout.y).astype(int).tolist()
    placed = []
    for number, glyph, x, y in zip(layout.face, layout.glyphs, xs, ys, strict=True):
        table = tables[number]
        bitmap = table[glyph] if glyph in table else cache.glyph(faces[number].path, faces[number].index, size, glyph)
        if bitmap is not None:
            ink, left, top, width, bottom = bitmap
            placed.append((ink, x + left, x + left + width, y + top, y + bottom))
    return placed


def _paste(placed: list[tuple], left: int, top: int, shape: tuple[int, int]) -> np.ndarray:
    """Lay bitmaps into one array; where boxes overlap the darker pixel wins."""
    canvas = np.zeros(shape, np.uint8)
    done = left
    for ink, start, end, high, low in placed:
        if start >= done:
            canvas[top - high : top - low, start - left : end - left] = ink
            done = end
        else:
            view = canvas[top - high : top - low, start - left : end - left]
            np.maximum(view, ink, out=view)
            done = max(done, end)
    return canvas


def _draw_outlines(layout: Layout) -> Ink | None:
    """Draw every glyph by its own transform, at its exact position, in one go."""
    rasteriser = _rasteriser()
    fonts = [hb_font(face.path, face.index, layout.size_px) for face in layout.faces]
    places = zip(layout.face, layout.glyphs, layout.x.tolist(), layout.y.tolist(), strict=True)
    for (number, glyph, x, y), matrix in zip(places, layout.transforms.tolist(), strict=True):
        (xx, xy), (yx, yy) = matrix
        rasteriser.transform = (xx, yx, xy, yy, x * SUBPIXELS, y * SUBPIXELS)
        rasteriser.draw_glyph(fonts[number], glyph)
    image = rasteriser.render()
    rasteriser.transform = (1, 0, 0, 1, 0, 0)
    found = _to_array(image)
    if found is None or max(found[0].shape) > MAX_SIDE_PX:
        return None
    ink, left, top = found
    return Ink(ink, top, -left)
