"""From placed glyphs to ink: HarfBuzz's rasteriser, one bitmap a glyph kept per (face, size), pasted into an array."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import uharfbuzz as hb

from glyphline.render.shaping import SUBPIXELS, Layout, hb_font

CACHE_BYTES = 96 * 2**20
"""Bitmaps kept per process; the least recently used (face, size) goes first."""
MAX_SIDE_PX = 32768
"""No line is drawn longer or higher than this."""
LONGEST_KEPT_PX = 256
"""Longer gaps between letters are made anew each time."""


class Glyph(NamedTuple):
    """A glyph's ink and where it lies from the origin (left to the right, top upwards)."""

    columns: bytes
    """The ink's columns, one after the other, each as high as its table's band: lines are made by joining them."""
    ink: np.ndarray
    """`(w, h)` coverage, a row for a column of the picture; a view of `columns`."""
    left: int
    right: int
    top: int
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
    rows = np.ascontiguousarray(rows)
    left, top, width, height = cv2.boundingRect(rows)
    if not width:
        return None
    ink = rows[top : top + height, left : left + width]
    return ink, extents.x_origin + left, extents.y_origin + extents.height - top


class Table(dict[int, Glyph | None]):
    """The bitmaps of a face at a size, by glyph id; None where a glyph has no ink. Drawn when asked for."""

    def __init__(self, path: str, index: int, size_px: int) -> None:
        super().__init__()
        self.font = hb_font(path, index, size_px)
        self.top = self.bottom = 0
        """The band of rows that all columns span; it grows with the first glyph that leaves it."""
        self.bytes = 0
        self.letters: dict[tuple[str, str], dict[str, tuple]] = {}
        """What letters that stand alone add to a line, by script and language (`plain.py`)."""
        self.fresh = True
        """Whether nothing was drawn since the cache last counted its bytes."""

    def __missing__(self, number: int) -> Glyph | None:
        draw = _rasteriser()
        draw.transform = (1, 0, 0, 1, 0, 0)
        draw.draw_glyph(self.font, number)
        found = _to_array(draw.render())
        self.fresh = False
        if found is None:
            self[number] = None
            self.bytes += 100
            return None
        ink, left, top = found
        bottom = top - ink.shape[0]
        self.reach(top, bottom)
        band = np.zeros((ink.shape[1], self.top - self.bottom), np.uint8)
        band[:, self.top - top : self.top - bottom] = ink.T
        columns = band.tobytes()
        view = np.frombuffer(columns, np.uint8).reshape(band.shape)[:, self.top - top : self.top - bottom]
        glyph = self[number] = Glyph(columns, view, left, left + ink.shape[1], top, bottom)
        self.bytes += 400 + len(columns)
        return glyph

    def reach(self, top: int, bottom: int) -> None:
        """Let the band span these rows."""
        if top > self.top or bottom < self.bottom:
            self.clear()
            for letters in self.letters.values():
                letters.clear()
            # In steps of four pixels: each time, all glyphs are drawn anew.
            self.top, self.bottom, self.bytes = max(top + 3 & ~3, self.top), min(bottom & ~3, self.bottom), 0

    def glyphs(self, numbers: Sequence[int]) -> list[Glyph | None]:
        """Return the bitmaps of glyphs, all of one band."""
        band = None
        while band != (self.top, self.bottom):
            band = self.top, self.bottom
            found = list(map(self.__getitem__, numbers))
        return found


class GlyphCache:
    """Bitmaps by (face, size); never more bytes than allowed, never anything that changes a pixel."""

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._tables: OrderedDict[tuple[str, int, int], Table] = OrderedDict()

    def table(self, path: str, index: int, size_px: int) -> Table:
        """Return the bitmaps of a face at a size."""
        key = (path, index, size_px)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table(path, index, size_px)
        self._tables.move_to_end(key)
        return table

    def count(self, table: Table) -> None:
        """Count what was drawn into a table since the last time."""
        if not table.fresh:
            table.fresh = True
            self.trim()

    def trim(self) -> None:
        """Give up the least recently used tables while there are more bytes than allowed."""
        self.bytes = sum(table.bytes for table in self._tables.values())
        while self.bytes > self.limit_bytes and len(self._tables) > 1:
            _, table = self._tables.popitem(last=False)
            self.bytes -= table.bytes


@functools.cache
def shared_cache() -> GlyphCache:
    """Return the process's glyph cache."""
    return GlyphCache()


def draw(layout: Layout, cache: GlyphCache | None = None, least: tuple[int, int] | None = None) -> Ink | None:
    """Draw a layout; None where nothing has ink. Positions are rounded to pixels unless glyphs are transformed.

    The picture spans at least the rows from `least[0]` above the baseline down to `least[1]`, negative below it.
    """
    if layout.transforms is not None:
        return _spanning(_draw_outlines(layout), least)
    cache = cache or shared_cache()
    tables = [cache.table(face.path, face.index, layout.size_px) for face in layout.faces]
    xs = np.rint(layout.x).astype(int).tolist()
    if len(tables) == 1 and not layout.y.any():
        if least is not None:
            tables[0].reach(*least)
        found = tables[0].glyphs(layout.glyphs)
        ink = join(found, xs, (tables[0].top, tables[0].bottom), least)
        ink = ink or _spanning(_paste(found, xs, [0] * len(xs)), least)
    else:
        found = [tables[number][glyph] for number, glyph in zip(layout.face, layout.glyphs, strict=True)]
        ink = _spanning(_paste(found, xs, np.rint(layout.y).astype(int).tolist()), least)
    for table in tables:
        cache.count(table)
    return ink


def _spanning(ink: Ink | None, least: tuple[int, int] | None) -> Ink | None:
    """Return ink with blank rows where it does not reach as far as it must."""
    if ink is None or least is None:
        return ink
    above = max(0, least[0] - ink.baseline)
    below = max(0, ink.baseline - ink.image.shape[0] - least[1])
    if not above + below:
        return ink
    return Ink(cv2.copyMakeBorder(ink.image, above, below, 0, 0, 0), ink.baseline + above, ink.origin)


class _Blanks(dict[int, bytes]):
    """Columns without ink by their number, for a band so many rows high."""

    def __init__(self, high: int) -> None:
        super().__init__()
        self.high = high

    def __missing__(self, count: int) -> bytes:
        found = bytes(count * self.high)
        if count < LONGEST_KEPT_PX:
            self[count] = found
        return found


_blanks = functools.lru_cache(maxsize=64)(_Blanks)


def join(
    glyphs: Sequence[Glyph | None], xs: Sequence[int], band: tuple[int, int], least: tuple[int, int] | None
) -> Ink | None:
    """Make a line of glyphs on one baseline by joining their columns; None where that cannot be done.

    Columns that overlap go to a second layer, and the darker pixel wins; a line that would need a third, or whose
    glyphs go back before its first, is for `_paste`.
    """
    top, bottom = band
    high = top - bottom
    blank = _blanks(high)
    left = first_end = second_end = None
    upper, lower = least or (bottom, top)
    first, second = [], []
    for glyph, x in zip(glyphs, xs, strict=True):
        if glyph is None:
            continue
        columns, _, start, end, above, below = glyph
        start += x
        if left is None:
            left = first_end = second_end = start
        gap = start - first_end
        if gap >= 0:
            first += (blank[gap], columns)
            first_end = end + x
        elif start >= second_end:
            second += (blank[start - second_end], columns)
            second_end = end + x
        else:
            return None
        if above > upper:
            upper = above
        if below < lower:
            lower = below
    if left is None:
        return None
    right = max(first_end, second_end)
    if right - left > MAX_SIDE_PX:
        return None
    if second:
        first.append(blank[right - first_end])
        second.append(blank[right - second_end])
    image = np.frombuffer(b"".join(first), np.uint8)
    if second:
        image = cv2.max(image, np.frombuffer(b"".join(second), np.uint8))
    image = image.reshape(right - left, high)[:, top - upper : top - lower]
    return Ink(cv2.transpose(image), upper, -left)


def _paste(glyphs: Sequence[Glyph | None], xs: Sequence[int], ys: Sequence[int]) -> Ink | None:
    """Lay glyphs into one array, wherever they lie; where boxes overlap the darker pixel wins."""
    placed = [(glyph, x, y) for glyph, x, y in zip(glyphs, xs, ys, strict=True) if glyph]
    if not placed:
        return None
    left, right = min([x + glyph.left for glyph, x, _ in placed]), max([x + glyph.right for glyph, x, _ in placed])
    top, bottom = max([y + glyph.top for glyph, _, y in placed]), min([y + glyph.bottom for glyph, _, y in placed])
    if right - left > MAX_SIDE_PX or top - bottom > MAX_SIDE_PX:
        return None
    canvas = np.zeros((right - left, top - bottom), np.uint8)
    done = left
    for glyph, x, y in placed:
        start, end = x + glyph.left, x + glyph.right
        view = canvas[start - left : end - left, top - y - glyph.top : top - y - glyph.bottom]
        if start >= done:
            view[:] = glyph.ink
        else:
            np.maximum(view, glyph.ink, out=view)
        done = max(done, end)
    return Ink(cv2.transpose(canvas), top, -left)


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
