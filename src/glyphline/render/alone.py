"""Characters that no neighbour changes: their glyph and advance are looked up, not shaped again in every line.

Most Korean, Chinese and Japanese lines hold nothing else, and the shaper then costs more than the drawing. HarfBuzz
says itself which characters these are: pieces clear of its flag UNSAFE_TO_CONCAT may be shaped one by one. Two gaps
are closed here: marks and jamo, which compose with what stands before them, never count as alone; and in fonts that
have nothing but an old `kern` table HarfBuzz flags everything, so that its pairs are read here.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Sequence

import uharfbuzz as hb

SCRIPTS = frozenset(["Hang", "Hani", "Hira", "Kana", "Latn", "Cyrl", "Grek", "Armn", "Geor", "Zyyy"])
"""Scripts whose characters compose with nothing but marks and jamo."""
_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))


class Alone(dict[str, tuple[int, int] | None]):
    """(glyph, advance) by character in a font, script and language; None where neighbours may matter."""

    def __init__(self, font: hb.Font, script: str, language: str, pairs: frozenset[tuple[int, int]]) -> None:
        super().__init__()
        self.font, self.script, self.language, self.pairs = font, script, language, pairs

    def __missing__(self, char: str) -> tuple[int, int] | None:
        found = self[char] = self._find(char)
        return found

    def _find(self, char: str) -> tuple[int, int] | None:
        if unicodedata.category(char)[0] in "MC" or _is_jamo(char):
            return None
        buffer = hb.Buffer()
        buffer.add_str(char)
        buffer.direction, buffer.script = "ltr", self.script
        if self.language:
            buffer.language = self.language
        buffer.flags = hb.BufferFlags.PRODUCE_UNSAFE_TO_CONCAT
        hb.shape(self.font, buffer)
        infos, places = buffer.glyph_infos, buffer.glyph_positions
        if len(infos) != 1 or (not self.pairs and infos[0].flags & hb.GlyphFlags.UNSAFE_TO_CONCAT):
            return None
        right, offset, rise = places[0].x_advance, places[0].x_offset, places[0].y_offset
        return None if offset or rise or not infos[0].codepoint else (infos[0].codepoint, right)

    def kerned(self, glyphs: Sequence[int]) -> bool:
        """Tell whether an old `kern` table moves any of these glyphs in a row."""
        return bool(self.pairs) and not self.pairs.isdisjoint(itertools.pairwise(glyphs))

    def place(self, text: str, pen: int) -> tuple[tuple[int, ...], list[int], int] | None:
        """Return (glyphs, x of each, pen behind the last) of a text; None where a character is not alone."""
        found = list(map(self.__getitem__, text))
        if None in found:
            return None
        glyphs, advances = zip(*found, strict=True)
        if self.kerned(glyphs):
            return None
        xs = list(itertools.accumulate(advances, initial=pen))
        return glyphs, xs[:-1], xs[-1]


def _is_jamo(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _JAMO)


@functools.lru_cache(maxsize=128)
def kerning_pairs(path: str, index: int) -> frozenset[tuple[int, int]]:
    """Return the glyph pairs of a font that knows no other rules than an old kern table's, else none."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=index, lazy=True) as font:
        if "kern" not in font or any(other in font for other in ("GSUB", "GPOS", "morx", "mort", "kerx")):
            return frozenset()
        tables = font["kern"].kernTables
        if any(getattr(table, "format", None) != 0 or not hasattr(table, "kernTable") for table in tables):
            return frozenset()
        pairs = [pair for table in tables for pair in table.kernTable]
        return frozenset((font.getGlyphID(left), font.getGlyphID(right)) for left, right in pairs)
