"""Shaping and drawing against Pillow with raqm and FreeType: another bidi, itemiser and rasteriser."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.render.conftest import FONTS

from glyphline.records import Drop, TextLine
from glyphline.render.faces import font_files, read_faces
from glyphline.render.fonts import Choice, catalogue, lacking
from glyphline.render.glyphs import GlyphCache, _paste, draw, join
from glyphline.render.line import render_line
from glyphline.render.recipe import FontSettings
from glyphline.render.shaping import Setting, missing_glyphs, shape

SIZE = 64
SYSTEM = Path("/usr/share/fonts/truetype")
CASES = [
    ("ko", "ltr", f"{FONTS}/NanumSquareR.ttf", "내일 아침 3시에 OK?"),
    ("ko", "ltr", f"{FONTS}/SUIT-Regular.otf", "값이 (3,500원) 싸다!"),
    ("ko", "ltr", f"{FONTS}/NanumSquareR.ttf", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ("fr", "ltr", f"{FONTS}/DancingScript-Regular.otf", "L'été à Nîmes, où ça ?"),
    ("fr", "ltr", f"{FONTS}/dkg.ttf", "Garçon, un café"),
    ("en", "ltr", f"{FONTS}/DancingScript-Regular.otf", "office AVATAR e\u0301"),
    ("he", "rtl", SYSTEM / "dejavu/DejaVuSans.ttf", "שלום עולם (2019) abc"),
    ("ar", "rtl", SYSTEM / "dejavu/DejaVuSans.ttf", "السلام عليكم 123 (نعم)"),
    ("fa", "rtl", SYSTEM / "dejavu/DejaVuSans.ttf", "می‌خواهم ۱۲۳"),
    ("ar", "ltr", SYSTEM / "dejavu/DejaVuSans.ttf", "abc سلام def"),
    ("ru", "ltr", SYSTEM / "dejavu/DejaVuSerif.ttf", "Съешь ещё этих"),
    ("el", "ltr", SYSTEM / "dejavu/DejaVuSerif.ttf", "Καλημέρα ά"),
    ("hy", "ltr", SYSTEM / "dejavu/DejaVuSans.ttf", "Բարեւ Ձեզ"),
    ("ka", "ltr", SYSTEM / "dejavu/DejaVuSans.ttf", "გამარჯობა"),
    ("hi", "ltr", SYSTEM / "noto/NotoSansDevanagari-Regular.ttf", "क्षत्रिय हिन्दी में"),
    ("ta", "ltr", SYSTEM / "noto/NotoSansTamil-Regular.ttf", "கொண்டு சென்றான்"),
    ("bn", "ltr", SYSTEM / "noto/NotoSansBengali-Regular.ttf", "বাংলা ক্ষেত্র"),
    ("th", "ltr", SYSTEM / "noto/NotoSansThai-Regular.ttf", "ที่นี่น้ำ"),
    ("ur", "rtl", SYSTEM / "noto/NotoNastaliqUrdu-Regular.ttf", "یہ اردو ہے"),
]


LARGE = 512
"""Size at which both draw: Pillow rounds each advance to a pixel, which is an eighth of one at SIZE."""


def by_pillow(path, text, language, direction):
    """Return the coverage that Pillow draws, cut to its ink, scaled to SIZE."""
    font = ImageFont.truetype(str(path), LARGE, layout_engine=ImageFont.Layout.RAQM)
    box = font.getbbox(text, direction=direction, language=language)
    image = Image.new("L", (box[2] - box[0] + 400, box[3] - box[1] + 800), 0)
    place = (200 - box[0], 400 - box[1])
    ImageDraw.Draw(image).text(place, text, fill=255, font=font, direction=direction, language=language)
    return scaled(np.asarray(image))


def by_us(path, text, language, direction):
    layout = shape(text, Choice(read_faces(Path(path))[0]), Setting(LARGE, direction, language))
    assert missing_glyphs(layout) == ""
    return scaled(draw(layout).image)


def scaled(image):
    """Return an image cut to its ink and brought from LARGE to SIZE, on a field with some room."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 100), np.flatnonzero(image.max(axis=0) > 100)
    image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = round(image.shape[1] * SIZE / LARGE), round(image.shape[0] * SIZE / LARGE)
    return cv2.copyMakeBorder(cv2.resize(image, size, interpolation=cv2.INTER_AREA), 4, 4, 4, 4, cv2.BORDER_CONSTANT)


def differing(mine, theirs):
    """Return the share of ink in either picture that has none in the other within a pixel."""
    height, width = max(mine.shape[0], theirs.shape[0]), max(mine.shape[1], theirs.shape[1])
    mine, theirs = (np.pad(i, ((0, height - i.shape[0]), (0, width - i.shape[1]))) for i in (mine, theirs))
    near = np.ones((3, 3), np.uint8)
    lost = (theirs > 128) & (cv2.dilate(mine, near) < 100)
    added = (mine > 128) & (cv2.dilate(theirs, near) < 100)
    return (lost.sum() + added.sum()) / ((theirs > 128).sum() + (mine > 128).sum())


@pytest.mark.parametrize(("language", "direction", "path", "text"), CASES)
def test_same_picture_as_pillow(language, direction, path, text):
    if not Path(path).exists():
        pytest.skip(f"{Path(path).name} is not installed")
    mine, theirs = by_us(path, text, language, direction), by_pillow(path, text, language, direction)
    assert abs(mine.shape[0] - theirs.shape[0]) <= 1
    assert abs(mine.shape[1] - theirs.shape[1]) <= 2
    assert differing(mine, theirs) < 0.01


@pytest.mark.parametrize(
    ("text", "other"), [("가나다라", "가라다나"), ("가나다라", "가나다라 "), ("값이 싸다", "값이싸다")]
)
def test_the_measure_notices_another_text(text, other):
    path = f"{FONTS}/NanumSquareR.ttf"
    mine, theirs = by_us(path, text, "ko", "ltr"), by_pillow(path, other, "ko", "ltr")
    assert (differing(mine, theirs) > 0.1) == (text != other.strip())


def test_jamo_are_one_syllable():
    choice = Choice(read_faces(Path(FONTS) / "NanumSquareR.ttf")[0])
    apart = draw(shape("\u1112\u1161\u11ab", choice, Setting(SIZE))).image
    np.testing.assert_array_equal(apart, draw(shape("한", choice, Setting(SIZE))).image)


OLD_HANGUL = "\u1112\u119e\u11ab\u1100\u1173\u11af \u1103\u1172\u11bc\u1100\u1171\u11a8"


@pytest.mark.parametrize("font", ["UnBatang", "UnDotum", "NanumMyeongjo-YetHangul", "NanumBarunGothic-YetHangul"])
def test_old_hangul_is_one_block_a_syllable(font):
    """Three jamo without a precomposed syllable share one cell, side by side with modern ones; as raqm draws them."""
    files = [file for file in font_files([]) if font in file.name]
    if not files:
        pytest.skip(f"{font} is not installed")
    choice = Choice(read_faces(files[0])[0])
    assert not lacking(set(OLD_HANGUL), choice.chars)
    layout = shape(OLD_HANGUL, choice, Setting(SIZE, "ltr", "ko"))
    assert missing_glyphs(layout) == ""
    assert layout.advance_px < 4.6 * SIZE
    assert len(set(layout.clusters)) == 5
    mine, theirs = by_us(files[0], OLD_HANGUL, "ko", "ltr"), by_pillow(files[0], OLD_HANGUL, "ko", "ltr")
    assert differing(mine, theirs) < 0.01


def test_old_hangul_is_dropped_where_no_font_has_it(recipe):
    drop = render_line(TextLine("t", OLD_HANGUL, "ko", "s", "train"), recipe(), 1, 0)
    assert isinstance(drop, Drop)
    assert drop.reason == "no_font"
    assert "U+119E" in drop.detail


def test_cache_limit_changes_no_pixel(texts):
    choice = Choice(read_faces(Path(FONTS) / "NanumSquareR.ttf")[0])
    small = GlyphCache(limit_bytes=2000)
    for line in texts[:8]:
        layout = shape(line.text, choice, Setting(40))
        np.testing.assert_array_equal(draw(layout, small).image, draw(layout).image)
        draw(shape(line.text, choice, Setting(41)), small)
    assert small.bytes < 60_000


def test_outlines_and_cache_agree():
    """Drawn glyph by glyph with no transform, the line is what the cache pastes, but for rounding."""
    from dataclasses import replace

    choice = Choice(read_faces(Path(FONTS) / "SUIT-Regular.otf")[0])
    layout = shape("내일 아침", choice, Setting(SIZE))
    layout = replace(layout, x=np.rint(layout.x), y=np.rint(layout.y))
    plain = draw(layout).image
    outlined = draw(replace(layout, transforms=np.tile(np.eye(2), (len(layout.glyphs), 1, 1)))).image
    assert plain.shape == outlined.shape
    assert np.abs(plain.astype(int) - outlined).max() <= 2


def test_a_companion_lends_digits_but_no_letters():
    if not (SYSTEM / "noto/NotoSansThai-Regular.ttf").exists():
        pytest.skip("Noto is not installed")
    fonts = catalogue(FontSettings(folders=[str(SYSTEM / "noto")], families=["Noto Sans Thai"]))
    choice = fonts.choices[0]
    assert choice.companion.family == "Noto Sans"
    assert set("0a!") <= choice.chars
    assert "Ж" not in choice.chars
    layout = shape("ปี 2562", choice, Setting(SIZE))
    assert sorted(set(layout.face)) == [0, 1]
    assert missing_glyphs(layout) == ""


@pytest.mark.parametrize(
    ("font", "squeezed"), [("NanumSquareR.ttf", 0.0), ("dkg.ttf", 0.0), ("NanumSquareR.ttf", 0.12)]
)
def test_joined_columns_are_pasted_glyphs(font, squeezed):
    """Both ways of putting bitmaps together give one picture, also where letters reach into each other."""
    choice = Choice(read_faces(Path(FONTS) / font)[0])
    layout = shape("AVA Wo j f" if font == "dkg.ttf" else "값이 3,500원이면", choice, Setting(40))
    xs = np.rint(layout.x * (1 - squeezed)).astype(int).tolist()
    table = GlyphCache().table(choice.face.path, choice.face.index, 40)
    glyphs = table.glyphs(layout.glyphs)
    joined, pasted = join(glyphs, xs, (table.top, table.bottom), None), _paste(glyphs, xs, [0] * len(xs))
    np.testing.assert_array_equal(joined.image, pasted.image)
    assert joined[1:] == pasted[1:]


def test_drawn_rows_are_those_asked_for():
    choice = Choice(read_faces(Path(FONTS) / "NanumSquareR.ttf")[0])
    layout = shape("...", choice, Setting(40))
    dots, boxed = draw(layout), draw(layout, least=(70, -30))
    assert boxed.image.shape == (100, dots.image.shape[1])
    assert boxed.baseline == 70
    np.testing.assert_array_equal(boxed.image[70 - dots.baseline :][: dots.image.shape[0]], dots.image)
    assert int(boxed.image.sum()) == int(dots.image.sum())
