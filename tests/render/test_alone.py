"""What is looked up instead of shaped is what HarfBuzz makes of the whole line, glyph by glyph."""

from pathlib import Path

import numpy as np
import pytest
from tests.render.conftest import FONTS, KOREAN

from glyphline.render import shaping
from glyphline.render.alone import Alone, kerning_pairs
from glyphline.render.faces import font_files, read_faces
from glyphline.render.fonts import Choice
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
    monkeypatch.setattr(shaping, "_alone", lambda *_: None)
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
