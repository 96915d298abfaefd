"""From text to placed glyphs: directions, scripts, HarfBuzz. Positions in pixels, y upwards from the baseline."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import uharfbuzz as hb

from glyphline.render.alone import SCRIPTS, Alone, kerning_pairs
from glyphline.render.bidi import Direction, is_plain, visual_runs
from glyphline.render.faces import Face, characters, is_invisible
from glyphline.render.fonts import Choice
from glyphline.render.scripts import CURSIVE, script_of, script_runs

SUBPIXELS = 64
"""Units of HarfBuzz's scale in a pixel."""


@dataclass
class Layout:
    """A line's glyphs in visual order, ready to be drawn; layout effects change it."""

    faces: list[Face]
    """Faces that the glyphs come from."""
    size_px: int
    """Pixels to the em."""
    face: list[int]
    """Number of each glyph's face."""
    glyphs: list[int]
    """Glyph ids."""
    x: np.ndarray
    """(N,) origin of each glyph in pixels."""
    y: np.ndarray
    """(N,) height of each origin above the baseline in pixels."""
    clusters: list[int]
    """Index of the first character that each glyph belongs to."""
    advance_px: float
    """Length of the line: to the right, or downwards where it is vertical."""
    text: str
    """What is written, in logical order."""
    vertical: bool = False
    """Whether the line runs from top to bottom."""
    joined: bool = False
    """Whether letters touch, so that only words may be moved."""
    transforms: np.ndarray | None = None
    """(N, 2, 2) change of each outline around its origin: drawn glyph by glyph, not from the cache."""


@functools.lru_cache(maxsize=128)
def hb_face(path: str, index: int) -> hb.Face:
    """Return HarfBuzz's face of a font file; the file is mapped, not read."""
    return hb.Face(hb.Blob.from_file_path(path), index)


@functools.lru_cache(maxsize=512)
def hb_font(path: str, index: int, size_px: int) -> hb.Font:
    """Return HarfBuzz's font at a size, in 1/64 pixels."""
    font = hb.Font(hb_face(path, index))
    font.scale = (size_px * SUBPIXELS, size_px * SUBPIXELS)
    return font


@functools.lru_cache(maxsize=512)
def alone_in(path: str, index: int, size_px: int, script: str, language: str) -> Alone | None:
    """Return a font's characters that need no shaping, None for a script whose letters depend on their neighbours."""
    if script not in SCRIPTS:
        return None
    return Alone(hb_font(path, index, size_px), script, language, kerning_pairs(path, index))


@dataclass(frozen=True)
class Setting:
    """How a line is set: what shaping needs beside text and font."""

    size_px: int
    """Pixels to the em."""
    direction: Direction = "ltr"
    """Direction of the line as a whole."""
    language: str = ""
    """ISO 639 code, for forms that differ by language; empty for the font's default."""
    vertical: bool = False
    """Whether the line runs from top to bottom."""


def shape(text: str, choice: Choice, setting: Setting) -> Layout:
    """Place the glyphs of a line of text. Shaping is HarfBuzz's, script by script and direction by direction."""
    vertical = setting.vertical
    faces = [choice.face] if choice.companion is None else [choice.face, choice.companion]
    fonts = [hb_font(face.path, face.index, setting.size_px) for face in faces]
    glyphs, clusters, numbers, xs, ys = [], [], [], [], []
    joined, pen = False, 0
    for start, end, number, script, towards in _runs(text, choice, setting.direction, vertical):
        joined = joined or script in CURSIVE
        if towards == "ltr":
            face = faces[number]
            table = alone_in(face.path, face.index, setting.size_px, script, setting.language)
            found = None if table is None else table.place(text[start:end], pen)
            if found:
                glyphs += found[0]
                xs += found[1]
                pen = found[2]
                ys += [0] * (end - start)
                clusters += range(start, end)
                numbers += [number] * (end - start)
                continue
        buffer = _shaped(fonts[number], text, (start, end), (towards, script, setting.language))
        infos = buffer.glyph_infos
        glyphs += [info.codepoint for info in infos]
        clusters += [info.cluster for info in infos]
        numbers += [number] * len(infos)
        across, down = (ys, xs) if vertical else (xs, ys)
        for place in buffer.glyph_positions:
            x, y, right, up = place.position
            across.append(pen + (y if vertical else x))
            down.append(x if vertical else y)
            pen += up if vertical else right
    places = np.array([xs, ys], dtype=np.float64) / SUBPIXELS
    return Layout(
        faces, setting.size_px, numbers, glyphs, places[0], places[1], clusters, abs(pen) / SUBPIXELS, text, vertical,
        joined,
    )  # fmt: skip


def _shaped(font: hb.Font, text: str, piece: tuple[int, int], manner: tuple[str, str, str]) -> hb.Buffer:
    """Shape a piece of a line, `manner` being its direction, script and language."""
    buffer = hb.Buffer()
    # The whole line is given, with the piece's place in it: letters join across a change of font or direction.
    buffer.add_str(text, piece[0], piece[1] - piece[0])
    buffer.direction, buffer.script, language = manner
    if language:
        buffer.language = language
    hb.shape(font, buffer)
    return buffer


def _runs(text: str, choice: Choice, direction: Direction, vertical: bool) -> list[tuple[int, int, int, str, str]]:
    """Return (start, end, face number, script, HarfBuzz direction) in visual order."""
    if vertical:
        pieces = [(0, len(text), "ttb")]
    elif direction == "ltr" and is_plain(text):
        pieces = [(0, len(text), "ltr")]
    else:
        pieces = visual_runs(text, direction)
    runs = []
    scripts = script_runs(text)
    own = characters(choice.face.ranges) if choice.companion else None
    for start, end, towards in pieces:
        parts = []
        for left, right, script in scripts:
            low, high = max(left, start), min(right, end)
            if low < high:
                parts += [(a, b, n, script, towards) for a, b, n in _by_face(text, low, high, own)]
        runs += reversed(parts) if towards == "rtl" else parts
    return runs


def _by_face(text: str, start: int, end: int, own: frozenset[str] | None) -> list[tuple[int, int, int]]:
    """Cut a run where the companion has to lend: (start, end, 0 for the face, 1 for its companion)."""
    if own is None:
        return [(start, end, 0)]
    parts: list[list[int]] = []
    for position in range(start, end):
        char = text[position]
        number = 0 if char in own or is_invisible(char) or script_of(char) == "Zinh" else 1
        if parts and (parts[-1][2] == number or script_of(char) == "Zinh"):
            parts[-1][1] = position + 1
        else:
            parts.append([position, position + 1, number])
    return [(a, b, n) for a, b, n in parts]


def missing_glyphs(layout: Layout) -> str:
    """Return the characters whose glyph is .notdef after all: composition or substitution that the font lacks."""
    if 0 not in layout.glyphs:
        return ""
    bad = [layout.text[c] for g, c in zip(layout.glyphs, layout.clusters, strict=True) if g == 0]
    return "".join(sorted({char for char in bad if not is_invisible(char)}))


def word_numbers(layout: Layout) -> np.ndarray:
    """Return (N,) how many words stand to the left of each glyph (above it where the line is vertical)."""
    return spaces_before(layout)


@functools.lru_cache(maxsize=4096)
def letter_box(path: str, index: int, sample: str) -> tuple[float, float]:
    """Return how far the sample's ink reaches above and below the baseline, in ems (below is negative)."""
    font = hb_font(path, index, 1000 // SUBPIXELS + 1)
    em = (1000 // SUBPIXELS + 1) * SUBPIXELS
    tops, bottoms = [], []
    for char in sample:
        extents = font.get_glyph_extents(font.get_nominal_glyph(ord(char)) or 0)
        if extents is not None and extents.height:
            tops.append(extents.y_bearing / em)
            bottoms.append((extents.y_bearing + extents.height) / em)
    if not tops:
        return 0.8, -0.2
    return max(tops), min(bottoms)


def cluster_numbers(layout: Layout) -> np.ndarray:
    """Return (N,) how many letters stand to the left of each glyph (above it where the line is vertical)."""
    clusters = np.array(layout.clusters, dtype=int)
    return np.concatenate([[0], np.cumsum(clusters[1:] != clusters[:-1])]) if len(clusters) else clusters


def spaces_before(layout: Layout) -> np.ndarray:
    """Return (N,) how many spaces stand to the left of each glyph (above it where the line is vertical)."""
    blank = np.array([layout.text[cluster].isspace() for cluster in layout.clusters], dtype=int)
    return np.cumsum(blank) - blank
