"""Directions against two independent implementations: FriBidi (in Pillow's raqm) and python-bidi."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import features

from glyphline.render.bidi import base_direction, is_plain, visual_runs

CASES = [
    "שלום עולם",
    "abc אבג def",
    "אבג (abc) דהו",
    "מחיר 12.50 ₪ היום",
    "عدد ١٢٣ و 456",
    "السعر 3,500 ريال (خصم 10%)",
    "tel: 050-1234567 שלום",
    "קובץ file.txt נמחק",
    "a (ב) c",
    "א-ב 1-2 ג",
    "‏abc‎",
    "x\u200fy",
    "12 שקלים",
]


def order(text, direction):
    """Return the characters as they stand on the page."""
    shown = []
    for start, end, towards in visual_runs(text, direction):
        piece = range(start, end)
        shown += reversed(piece) if towards == "rtl" else piece
    return shown


def test_runs_cover_the_text_once():
    for text in CASES:
        for direction in ("ltr", "rtl"):
            assert sorted(order(text, direction)) == list(range(len(text)))


def by_python_bidi(text, direction):
    bidi = pytest.importorskip("bidi")
    # python-bidi removes what rule X9 removes and mirrors brackets: compare letters and digits only.
    shown = bidi.get_display(text, base_dir="R" if direction == "rtl" else "L")
    return [char for char in shown if char.isalnum()]


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_agrees_with_python_bidi(text, direction):
    mine = [text[n] for n in order(text, direction) if text[n].isalnum()]
    assert mine == by_python_bidi(text, direction)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="abאבجد12٣ .,%-()+:/", min_size=1, max_size=14), st.sampled_from(["ltr", "rtl"]))
def test_agrees_with_python_bidi_on_anything(text, direction):
    mine = [text[n] for n in order(text, direction) if text[n].isalnum()]
    assert mine == by_python_bidi(text, direction)


CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"


@settings(max_examples=600, deadline=None)
@given(st.text(alphabet="abאבج12٣ .,(-" + CONTROLS, min_size=1, max_size=16), st.sampled_from(["ltr", "rtl"]))
def test_agrees_with_python_bidi_on_embeddings_overrides_and_isolates(text, direction):
    mine = [text[n] for n in order(text, direction) if text[n].isalnum()]
    assert mine == by_python_bidi(text, direction)


@pytest.mark.parametrize(
    ("text", "direction", "shown"),
    [
        ("a \u202eb c\u202c d", "ltr", "a c b d"),
        ("\u202bאב ab\u202c 5", "rtl", "5 ab בא"),
        ("א \u2066a-1\u2069 ב", "rtl", "ב a-1 א"),
        ("x \u2068אב 1\u2069 2", "ltr", "x 1 בא 2"),
    ],
)
def test_explicit_directions(text, direction, shown):
    assert "".join(text[n] for n in order(text, direction) if text[n] not in CONTROLS) == shown


def test_base_direction_is_the_first_strong_letters():
    assert base_direction("12 אבג abc") == "rtl"
    assert base_direction("12 abc אבג") == "ltr"
    assert base_direction("12!", "rtl") == "rtl"
    assert base_direction("\u2067אבג\u2069 abc") == "ltr"


def test_plain_text_needs_no_reordering():
    assert is_plain("한글 abc 123")
    assert not is_plain("abc א")
    assert not is_plain("٣")


def test_pillow_has_raqm():
    assert features.check("raqm"), "the shaping tests compare with raqm"
