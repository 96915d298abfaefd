"""Every engine: the same line twice is the same picture, another index is another, and refusals have reasons."""

import numpy as np
import pytest
from tests.render.conftest import FONTS, KOREAN

from glyphline.plugins import available
from glyphline.records import Drop, Sample, TextLine
from glyphline.render.line import load_recipe, render_line

ENGINES = available("engine")


@pytest.fixture(params=ENGINES)
def recipe(request):
    if request.param == "trdg":
        pytest.importorskip("trdg")
    return load_recipe("trdg", {"engine": request.param, "height_px": 48, "fonts": {"folders": [FONTS]}})


def line(text, language="ko"):
    return TextLine("t", text, language, "test", "train")


def test_pure_and_varied(recipe):
    for text in KOREAN[:3]:
        first, again = (render_line(line(text), recipe, 5, 1) for _ in range(2))
        other = [render_line(line(text), recipe, 5, index) for index in range(2, 6)]
        assert isinstance(first, Sample)
        np.testing.assert_array_equal(first.image, again.image)
        assert any(o.image.shape != first.image.shape or (o.image != first.image).any() for o in other)


def test_picture_is_uint8_of_the_height_with_ink_and_paper(recipe):
    image = render_line(line("정말 재미있는 영화"), recipe, 1, 0).image
    assert image.dtype == np.uint8
    assert image.shape[0] == 48
    assert image.shape[1] > 100
    assert image.min() < 90
    assert np.median(image) > 180


def test_global_generators_play_no_part(recipe):
    import random

    import cv2

    random.seed(1)
    first = render_line(line("글자"), recipe, 2, 3).image
    random.seed(99)
    cv2.setRNGSeed(99)
    before = random.getstate()
    np.testing.assert_array_equal(render_line(line("글자"), recipe, 2, 3).image, first)
    assert random.getstate() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("\u200b\u200b", "empty"), ("\u0301", "empty"), ("글자 𒀀", "no_font"), ("😀", "no_font")],
)
def test_what_cannot_be_written_is_a_drop_with_a_reason(recipe, text, reason):
    drop = render_line(line(text), recipe, 1, 0)
    assert isinstance(drop, Drop)
    assert drop.reason == reason


def test_too_wide_is_a_drop(recipe):
    import dataclasses

    narrow = dataclasses.replace(recipe, max_width_px=200)
    assert render_line(line("가나다라마바사아자차카타파하" * 4), narrow, 1, 0).reason == "too_wide"


def test_provenance_names_font_and_recipe(recipe):
    facts = render_line(line("글자"), recipe, 9, 4).provenance
    assert facts["seed"] == 9
    assert facts["index"] == 4
    assert facts["engine"] == recipe.engine
    assert any(name in facts["font"] for name in ("SUIT", "Nanum"))
