"""Every effect in render/effects: same rng, same pixels; its input untouched; type and room kept; no ink cut."""

import json

import cv2
import numpy as np
import pytest
from tests.render.conftest import FONTS

from glyphline import seeds
from glyphline.plugins import available, load
from glyphline.render.chain import STAGES
from glyphline.render.fonts import Choice
from glyphline.render.glyphs import draw
from glyphline.render.shaping import Layout, Setting, shape

NAMES = available("effect")


@pytest.fixture(scope="module")
def layout():
    from glyphline.render.faces import font_files, read_faces

    file = next(file for file in font_files([FONTS]) if "Nanum" in file.name)
    return shape("우리 집 앞 3번", Choice(read_faces(file)[0]), Setting(48))


def picture_for(stage, layout):
    """Return an example image of a stage."""
    coverage = draw(layout).image
    if stage == "layout":
        return layout
    if stage == "tone":
        return np.full((1, 1, 3), 30, np.uint8)
    if stage == "paper":
        return np.full((64, 320), 230, np.uint8)
    if stage == "crop":
        return cv2.copyMakeBorder(coverage, 16, 16, 10, 10, cv2.BORDER_CONSTANT, value=0)
    if stage == "picture":
        return 255 - cv2.copyMakeBorder(coverage, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=0)
    return coverage


def values(image):
    """Return what can be compared of an image or a layout."""
    if isinstance(image, Layout):
        rest = np.zeros(0) if image.transforms is None else image.transforms
        return np.concatenate([image.x, image.y, rest.ravel()])
    return image


def run(name, image, seed, settings=None):
    module = load("effect", name)
    params = module.sample(seeds.rng(seed, name), settings or module.Settings())
    return module.apply(image, params), params


@pytest.mark.parametrize("name", NAMES)
def test_declares_its_stage_and_settings(name):
    module = load("effect", name)
    assert module.STAGE in STAGES
    assert module.__doc__
    assert module.Settings() == module.Settings()


@pytest.mark.parametrize("name", NAMES)
def test_same_draws_same_pixels_and_input_untouched(name, layout):
    image = picture_for(load("effect", name).STAGE, layout)
    before = values(image).copy()
    for seed in range(6):
        first, params = run(name, image, seed)
        again, _ = run(name, image, seed)
        np.testing.assert_array_equal(values(first), values(again))
        np.testing.assert_array_equal(values(image), before)
        assert json.loads(json.dumps(params)) == params


@pytest.mark.parametrize("name", NAMES)
def test_changes_something_and_keeps_the_type(name, layout):
    image = picture_for(load("effect", name).STAGE, layout)
    results = [run(name, image, seed)[0] for seed in range(12)]
    settings = load("effect", name).Settings()
    fixed = name == "tracking" and settings.high == settings.low == 0
    assert fixed or any(values(r).shape != values(image).shape or (values(r) != values(image)).any() for r in results)
    for result in results:
        if not isinstance(result, Layout):
            assert result.dtype == np.uint8
            assert result.ndim in (2, 3)


@pytest.mark.parametrize("name", [n for n in NAMES if load("effect", n).STAGE in ("paper", "picture", "crop")])
@pytest.mark.parametrize("shape", [(64, 320, 3), (300, 40), (3, 5), (1, 1)])
def test_takes_colour_and_odd_sizes(name, shape):
    if load("effect", name).STAGE == "crop" and len(shape) == 3:
        return
    image = np.full(shape, 200, np.uint8)
    image[shape[0] // 2, :] = 20
    for seed in range(4):
        result, _ = run(name, image, seed)
        assert result.dtype == np.uint8
        assert result.size


@pytest.mark.parametrize("name", [n for n in NAMES if load("effect", n).STAGE in ("ink", "crop")])
def test_never_cuts_ink(name, layout):
    """A mark in each corner of the ink is still there afterwards: the canvas grew with what was moved."""
    base = np.zeros((60, 400), np.uint8)
    for rows in (slice(0, 6), slice(54, 60)):
        for columns in (slice(0, 6), slice(394, 400)):
            base[rows, columns] = 255
    for seed in range(20):
        result, params = run(name, base, seed)
        scale = params.get("scale", 1.0)
        if name in ("underline", "strike", "neighbours"):
            assert (result[:60] >= base).all() or name == "neighbours"
            continue
        count, _, stats, _ = cv2.connectedComponentsWithStats((result > 60).astype(np.uint8))
        areas = sorted(stats[1:, cv2.CC_STAT_AREA].tolist())[-4:]
        assert count - 1 >= 4, (name, seed)
        assert areas[0] >= 36 * 0.45 * scale**2, (name, seed, areas)


@pytest.mark.parametrize("name", ["skew", "curve", "elastic", "perspective", "wave", "slant", "margins", "frame"])
def test_moving_effects_fill_with_paper_when_used_on_pictures(name):
    picture = np.full((60, 300, 3), (240, 225, 200), np.uint8)
    picture[25:35, 20:280] = 30
    for seed in range(8):
        result, _ = run(name, picture, seed)
        corners = result[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
        assert np.abs(corners - (240, 225, 200)).max() <= 3


def test_neighbours_keep_clear_of_the_text(layout):
    coverage = draw(layout).image
    image = cv2.copyMakeBorder(coverage, 20, 20, 10, 10, cv2.BORDER_CONSTANT, value=0)
    for seed in range(30):
        result, _ = run("neighbours", image, seed)
        assert (result[20 : 20 + coverage.shape[0]] == image[20 : 20 + coverage.shape[0]]).all()
        assert result[17:20].max() == 0
        assert result[20 + coverage.shape[0] : 23 + coverage.shape[0]].max() == 0


def test_trocr_takes_each_of_seven_equally_often():
    module = load("effect", "trocr")
    drawn = [module.sample(seeds.rng(1, n), module.Settings())["choice"] for n in range(3500)]
    counts = [drawn.count(choice) for choice in module.CHOICES]
    assert len(counts) == 7
    assert min(counts) > 420
    assert max(counts) < 580


def test_variation_draws_no_two_letters_alike(layout):
    result, _ = run("variation", layout, 3)
    assert len({tuple(matrix.ravel().round(6)) for matrix in result.transforms}) == len(layout.glyphs)


def test_letters_that_touch_move_by_words_only(layout):
    from dataclasses import replace

    joined = replace(layout, joined=True)
    for name in ("wobble", "variation"):
        result, _ = run(name, joined, 4)
        word = [n for n, cluster in enumerate(layout.clusters) if cluster < layout.text.index(" ")]
        if name == "wobble":
            moved = (result.y - joined.y)[word]
            assert np.allclose(moved, moved[0])
        else:
            assert np.allclose(result.transforms[word], result.transforms[word[0]])


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(load("effect", n), "on_plain")])
@pytest.mark.parametrize("grey", [0, 100, 200, 255])
def test_the_short_way_on_plain_paper_gives_the_same(name, grey):
    module = load("effect", name)
    for seed in range(5):
        params = module.sample(seeds.rng(seed, name), module.Settings(low=1, high=16))
        short = module.on_plain((64, 500), grey, params)
        np.testing.assert_array_equal(short, module.apply(np.full((64, 500), grey, np.uint8), params))
