"""What is looked up instead of shaped is what HarfBuzz makes of the whole line, glyph by glyph."""

import functools
from pathlib import Path

import numpy as np
import pytest
from tests.render.conftest import FONTS, KOREAN

from glyphline.render import plain, shaping
from glyphline.render.alone import Alone, kerning_pairs
from glyphline.render.faces import font_files, read_faces
from glyphline.render.fonts import Choice
from glyphline.render.glyphs import GlyphCache, draw
from glyphline.render.plain import draw_plain
from glyphline.render.shaping import Setting, hb_font, shape

TEXTS = [
    *KOREAN[:24],
    "AVATAR Tom, 1.5 To. 'Ty'",
    "L'été à Nîmes, où ça\u00a0? fi ffl",
    "값이 (3,500원)... 1/2 OK?",
    "ㅋㅋㅋ ㅠㅠ 아\u1112\u1161\u11ab 한\u11a8",
    "e\u0301a\u0308 A\u200dV",
]


@pytest.mark.parametrize("path", font_files([FONTS]), ids=lambda path: path.name)
@pytest.mark.parametrize("size_px", [17, 48])
def test_same_layout_as_whole_lines(path, size_px, monkeypatch):
    choice = Choice(read_faces(path)[0])
    setting = Setting(size_px, "ltr", "ko")
    mine = [shape(text, choice, setting) for text in TEXTS]
    monkeypatch.setattr(shaping, "alone_in", lambda *_: None)
    for layout, text in zip(mine, TEXTS, strict=True):
        whole = shape(text, choice, setting)
        assert (layout.glyphs, layout.clusters, layout.face) == (whole.glyphs, whole.clusters, whole.face)
        assert (layout.advance_px, layout.joined) == (whole.advance_px, whole.joined)
        np.testing.assert_array_equal(layout.x, whole.x)
        np.testing.assert_array_equal(layout.y, whole.y)


def test_most_korean_is_alone_and_marks_and_kerned_pairs_are_not():
    path = str(Path(FONTS) / "NanumSquareR.ttf")
    pairs = kerning_pairs(path, 0)
    assert pairs
    table = Alone(hb_font(path, 0, 48), "Hang", "ko", pairs)
    assert sum(table.place(text, 0) is not None for text in KOREAN) > 0.8 * len(KOREAN)
    assert table.place("한\u11ab", 0) is None
    assert table.place("e\u0301", 0) is None
    assert Alone(hb_font(path, 0, 48), "Latn", "en", pairs).place("AV", 0) is None


@pytest.mark.parametrize("path", font_files([FONTS]), ids=lambda path: path.name)
@pytest.mark.parametrize("least", [None, (40, -12), (70, -50)])
def test_the_short_way_draws_the_same_ink(path, least):
    choice = Choice(read_faces(path)[0])
    short = 0
    for text in [*TEXTS, *KOREAN, "123 ...", "2024년 3월", "한글ꥠ", "가\u060c나", "( ) 〈한〉"]:
        for language in ("ko", ""):
            setting = Setting(44, "ltr", language)
            mine = draw_plain(text, choice, setting, least, 1e6)
            if mine is not None:
                short += 1
                long = draw(shape(text, choice, setting), GlyphCache(), least)
                np.testing.assert_array_equal(mine.image, long.image)
                assert (mine.baseline, mine.origin) == (long.baseline, long.origin)
    if path.name.startswith("Nanum"):
        assert short > len(KOREAN) / 2


def test_no_short_way_for_what_depends_on_more_than_letters():
    choice = Choice(read_faces(Path(FONTS) / "NanumSquareR.ttf")[0])
    assert draw_plain("한글", choice, Setting(40), None, 1e6) is not None
    assert draw_plain("한글", choice, Setting(40), None, 30.0) is None
    assert draw_plain("한글", choice, Setting(40, "rtl"), None, 1e6) is None
    assert draw_plain("한글", choice, Setting(40, vertical=True), None, 1e6) is None
    for text in ("한글 latin", "한\u11ab", "가\u060c나", "한\u05d0"):
        assert draw_plain(text, choice, Setting(40), None, 1e6) is None


def test_a_letter_that_leaves_the_band_changes_no_other(monkeypatch):
    choice, setting = Choice(read_faces(Path(FONTS) / "NanumSquareR.ttf")[0]), Setting(52, "ltr", "ko")
    monkeypatch.setattr(plain, "shared_cache", functools.cache(GlyphCache))
    table = plain.shared_cache().table(choice.face.path, choice.face.index, setting.size_px)
    table.top, table.bottom = 3, -1
    for text in ("... ,,", "값.이(싸다)", "|g", "g|", "... ,,"):
        mine = draw_plain(text, choice, setting, None, 1e6)
        np.testing.assert_array_equal(mine.image, draw(shape(text, choice, setting), GlyphCache()).image)
    assert table.top > 30
