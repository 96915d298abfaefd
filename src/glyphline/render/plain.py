"""The short way from text to ink for most lines: letters that stand alone, one font, one script, left to right.

What a letter adds to such a line - its advance and its bitmap - is looked up at once, without a layout in between.
The ink is the same as by `shape` and `draw`; wherever that is not certain, there is no short way.
"""

from __future__ import annotations

import itertools

from glyphline.render.alone import Alone
from glyphline.render.bidi import is_plain
from glyphline.render.fonts import Choice
from glyphline.render.glyphs import Ink, Table, join, shared_cache
from glyphline.render.scripts import main_script_of, script_of
from glyphline.render.shaping import SUBPIXELS, Setting, alone_in


def draw_plain(
    text: str, choice: Choice, setting: Setting, least: tuple[int, int] | None, limit_px: float
) -> Ink | None:
    """Return what `draw(shape(...), least=least)` returns; None for a line that needs it, or is longer than allowed."""
    if choice.companion or setting.vertical or setting.direction != "ltr":
        return None
    face, script = choice.face, main_script_of(text)
    alone = alone_in(face.path, face.index, setting.size_px, script, setting.language)
    if alone is None:
        return None
    cache = shared_cache()
    table = cache.table(face.path, face.index, setting.size_px)
    if least is not None:
        table.reach(*least)
    letters = table.letters.setdefault((script, setting.language), {})
    # A glyph that leaves the table's band makes the table forget all letters: then they are looked up once more.
    while not letters.keys() >= (needed := set(text)):
        for char in needed.difference(letters):
            letter = _letter(char, alone, table)
            if letter is None:
                return None
            letters[char] = letter
        cache.count(table)
    found = [letters[char] for char in text]
    numbers, advances, glyphs = zip(*found, strict=True)
    if alone.kerned(numbers):
        return None
    pens = list(itertools.accumulate(advances, initial=0))
    if pens.pop() > limit_px * SUBPIXELS:
        return None
    return join(glyphs, [round(pen / SUBPIXELS) for pen in pens], (table.top, table.bottom), least)


def _letter(char: str, alone: Alone, table: Table) -> tuple | None:
    """Return a letter's (glyph, advance, bitmap), None where neighbours, script or direction matter."""
    if script_of(char) not in (alone.script, "Zyyy") or not is_plain(char):
        return None
    place = alone[char]
    return None if place is None else (*place, table[place[0]])
