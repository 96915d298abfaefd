"""How wide a line will come out, without drawing it: enough to put lines of like width into one batch."""

from __future__ import annotations

import functools

from glyphline.render.engines.native import reference_letters
from glyphline.render.fonts import Choice
from glyphline.render.recipe import Recipe
from glyphline.render.shaping import SUBPIXELS, hb_font, letter_box


def expected_aspect(text: str, language: str, choice: Choice, recipe: Recipe) -> float:
    """Return width over height of a line's picture by its letters' advances; effects and kerning are not foreseen."""
    face = choice.face
    letters = "".join(sorted(set(text))) if recipe.fit == "ink" else reference_letters(language)
    top, bottom = letter_box(face.path, face.index, letters)
    ems = sum(_advance(face.path, face.index, character) for character in text)
    return recipe.fill * ems / max(0.2, top - bottom)


@functools.lru_cache(maxsize=1 << 17)
def _advance(path: str, index: int, character: str) -> float:
    """Return a character's advance in ems."""
    font = hb_font(path, index, 1000 // SUBPIXELS + 1)
    glyph = font.get_nominal_glyph(ord(character)) or 0
    return font.get_glyph_h_advance(glyph) / ((1000 // SUBPIXELS + 1) * SUBPIXELS)
