"""Purity: a line depends on recipe, seed and index alone; golden hashes guard the pixels."""

import hashlib
import json
import os
import pickle
import platform
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import uharfbuzz
from hypothesis import given
from hypothesis import strategies as st
from tests.render.conftest import FONTS, KOREAN

from glyphline import seeds
from glyphline.images import to_grey
from glyphline.records import Drop, TextLine
from glyphline.render.line import MixedLines, RenderedLines, load_recipe, render_line, shuffled
from glyphline.render.recipe import RECIPE_VERSION, preset_names
from glyphline.settings import InputError

GOLDEN = Path(__file__).with_name("golden.json")
"""Digests and small copies of each preset's first lines, by recipe version; GLYPHLINE_RECORD_GOLDEN=1 records them."""
PRESETS = ("clean", "document", "handwriting", "photo", "trdg", "trocr")


def digest(samples):
    state = hashlib.sha256()
    for sample in samples:
        state.update(f"{sample.id} {sample.text} {sample.image.shape}".encode() + sample.image.tobytes())
    return state.hexdigest()[:16]


def small(sample):
    """Return a picture of 24 by 3 pixels: what another processor's rounding does not change by more than a little."""
    return [
        *sample.image.shape[:2],
        *cv2.resize(to_grey(sample.image), (24, 3), interpolation=cv2.INTER_AREA).ravel().tolist(),
    ]


def libraries():
    """Return the versions that pixels may depend on, and the processor."""
    return [platform.machine(), cv2.__version__, uharfbuzz.__version__, np.__version__]


def test_golden_pixels(texts, recipe):
    made = {preset: [RenderedLines(texts, recipe(preset), 11)[n] for n in range(13)] for preset in PRESETS}
    record = {"version": RECIPE_VERSION, "libraries": libraries()}
    record |= {preset: {"digest": digest(lines), "small": list(map(small, lines))} for preset, lines in made.items()}
    if os.environ.get("GLYPHLINE_RECORD_GOLDEN"):
        GOLDEN.write_text(json.dumps(record, separators=(",", ":")) + "\n")
    golden = json.loads(GOLDEN.read_text())
    remedy = "pixels changed: raise RECIPE_VERSION and record the golden file anew"
    assert golden["version"] == RECIPE_VERSION, "record the golden file for the new recipe version"
    for preset in PRESETS:
        difference = np.abs(np.array(golden[preset]["small"]) - np.array(record[preset]["small"])).max()
        assert difference <= 2, f"{preset}: {remedy}"
        if golden["libraries"] == libraries():
            assert golden[preset]["digest"] == record[preset]["digest"], f"{preset}: {remedy}"


@pytest.mark.parametrize("preset", preset_names())
def test_any_order_and_any_number_of_times(preset, texts, recipe):
    lines = RenderedLines(texts, recipe(preset), 3)
    forwards = [lines[index] for index in range(20)]
    fresh = RenderedLines(texts, recipe(preset), 3)
    for index in reversed(range(20)):
        again = fresh[index]
        assert again.text == forwards[index].text
        np.testing.assert_array_equal(again.image, forwards[index].image)


def test_seeds_and_indices_differ(texts, recipe):
    lines, other = RenderedLines(texts, recipe("document"), 1), RenderedLines(texts, recipe("document"), 2)
    made = {digest([line[index]]) for line in (lines, other) for index in range(26)}
    assert len(made) == 52


def test_each_pass_takes_every_text_once_with_new_looks(texts, recipe):
    lines = RenderedLines(texts, recipe(), 5)
    passes = [[lines.text_of(n).id for n in range(k * len(texts), (k + 1) * len(texts))] for k in range(3)]
    assert all(sorted(ids) == sorted(line.id for line in texts) for ids in passes)
    assert passes[0] != passes[1] != passes[2]
    given = RenderedLines(texts, recipe(), 5, order="given")
    assert [given.text_of(n).id for n in range(len(texts))] == [line.id for line in texts]
    first, second = given[0], given[len(texts)]
    assert first.text == second.text
    assert first.image.shape != second.image.shape or (first.image != second.image).any()


@given(st.integers(1, 5000), st.integers(0, 2**64))
def test_shuffled_is_a_permutation(count, key):
    sample = range(0, count, max(1, count // 50))
    placed = [shuffled(place, count, key) for place in sample]
    assert len(set(placed)) == len(placed)
    assert all(0 <= value < count for value in placed)


def test_shuffled_covers_everything_and_is_not_the_identity():
    for count in (1, 2, 3, 64, 65, 1000):
        assert sorted(shuffled(n, count, 7) for n in range(count)) == list(range(count))
    assert sum(shuffled(n, 1000, 7) == n for n in range(1000)) < 10


def test_pickles_and_works_in_a_fresh_process_without_torch(texts, recipe, tmp_path):
    lines = RenderedLines(texts, recipe("document"), 5)
    (tmp_path / "lines.pickle").write_bytes(pickle.dumps(lines))
    code = (
        "import pickle, sys, hashlib\n"
        f"lines = pickle.load(open({str(tmp_path / 'lines.pickle')!r}, 'rb'))\n"
        "print(hashlib.sha256(lines[4].image.tobytes()).hexdigest())\n"
        "print([name for name in ('torch', 'transformers', 'datasets') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = hashlib.sha256(lines[4].image.tobytes()).hexdigest()
    assert done.stdout.split("\n")[:2] == [here, "[]"]


def test_data_loader_workers_see_the_same(texts, recipe):
    data = pytest.importorskip("torch.utils.data")
    lines = RenderedLines(texts, recipe("mixed"), 5)
    loader = data.DataLoader(lines, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    for index, sample in enumerate(loader):
        assert sample.text == lines[index].text
        np.testing.assert_array_equal(np.asarray(sample.image), lines[index].image)


def test_mixed_lines_keep_their_weights_and_parts(texts, recipe):
    parts = [RenderedLines(texts[:8], recipe(), 1), RenderedLines(texts[8:], recipe(), 1)]
    mixed = MixedLines(parts, [3, 1], 9)
    languages = [mixed.parts[0 if mixed[n].language == "ko" else 1] is parts[0] for n in range(200)]
    assert 0.66 < sum(languages) / 200 < 0.84
    np.testing.assert_array_equal(mixed[7].image, pickle.loads(pickle.dumps(mixed))[7].image)
    with pytest.raises(InputError):
        MixedLines(parts, [0, 0], 1)


def test_mix_draws_its_presets_by_weight(texts, recipe):
    mixed = recipe("clean", mix={"clean": 3, "trocr": 1})
    names = [render_line(texts[0], mixed, 1, n).provenance["recipe"] for n in range(200)]
    assert set(names) == {"clean", "trocr"}
    assert 0.66 < names.count("clean") / 200 < 0.84


def test_provenance_renders_the_line_again(texts, recipe):
    made = RenderedLines(texts, recipe("photo"), 8)[5]
    facts = json.loads(json.dumps(made.provenance))
    line = TextLine(facts["text_id"], made.text, made.language, made.source, made.split)
    np.testing.assert_array_equal(render_line(line, recipe("photo"), facts["seed"], facts["index"]).image, made.image)


def test_grey_where_nothing_brings_colour(texts, recipe):
    assert RenderedLines(texts, recipe("clean"), 1)[0].image.ndim == 2
    assert RenderedLines(texts, recipe("photo"), 1)[0].image.ndim == 3
    assert RenderedLines(texts, recipe("clean", color=True), 1)[0].image.ndim == 3


def test_height_is_the_recipes(texts, recipe):
    for preset in preset_names():
        for height in (24, 64, 100):
            sample = RenderedLines(texts, recipe(preset, height_px=height), 2)[1]
            assert sample.image.shape[0] == height, preset


def test_vertical_lines_run_down(recipe):
    line = TextLine("v", "가나다라 마바사", "ko", "t", "train")
    image = render_line(line, recipe("clean", orientation="vertical"), 1, 0).image
    assert image.shape[1] == 64
    assert image.shape[0] > 250
    ink_rows = (image < 128).any(axis=1)
    letters = np.count_nonzero(np.diff(ink_rows.astype(int)) == 1)
    assert letters >= 6


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"heigth_px": 3}, "height_px"),
        ({"height_px": 3}, "between 8 and 1024"),
        ({"effects": [{"name": "blurr"}]}, "blur"),
        ({"effects": [{"name": "blur", "settings": {"lo": 1}}]}, "low"),
        ({"effects": [{"name": "blur", "probability": 2}]}, "probability"),
        ({"effects": [{"name": "photograph", "settings": {"folder": "/nowhere"}}]}, "/nowhere"),
        ({"fonts": {"folders": ["/nowhere"]}}, "/nowhere"),
        ({"fonts": {"folders": [FONTS], "families": ["Suit"]}}, "SUIT"),
        ({"engine": "nativ"}, "native"),
        ({"mix": {"cleen": 1}}, "clean"),
        ({"ink": [90, 10]}, "ink"),
    ],
)
def test_bad_recipes_name_the_key_and_the_remedy(overrides, says):
    with pytest.raises(InputError, match=says):
        line = TextLine("t", "글자", "ko", "s", "train")
        render_line(line, load_recipe("clean", {"fonts": {"folders": [FONTS]}} | overrides), 1, 0)


def test_unknown_preset_and_index():
    with pytest.raises(InputError, match="handwriting"):
        load_recipe("handwritting")
    lines = RenderedLines([TextLine("t", KOREAN[0], "ko", "s", "train")], load_recipe("clean"), 1)
    with pytest.raises(IndexError):
        lines[-1]


def test_drop_lists_what_is_missing(recipe):
    drop = render_line(TextLine("t", "뷁 ݐ", "ko", "s", "train"), recipe(), 1, 0)
    assert isinstance(drop, Drop)
    assert "U+0750" in drop.detail


def test_keys_do_not_collide():
    assert seeds.derive(1, "line", "train", 12) != seeds.derive(1, "line", "train1", 2)


def test_margins_of_ink_are_blank_even_around_letters_that_fill_their_box(recipe):
    line = TextLine("1", "ㅡㅡㅡㅡ", "ko", "test", "train")
    effects = [{"name": "frame", "settings": {"top": 3, "left": 4, "bottom": 3, "right": 4}}]
    plain = recipe("clean", ink=[0, 0], paper=[255, 255], fit="ink", fill=0.5, height_px=40, effects=effects)
    image = render_line(line, plain, 1, 0).image
    rows, columns = np.flatnonzero((image < 255).any(axis=1)), np.flatnonzero((image < 255).any(axis=0))
    assert columns[0] >= 4
    assert columns[-1] < image.shape[1] - 4
    assert rows[0] >= 3
    assert rows[-1] < 40 - 3


def test_a_part_that_insists_on_handwriting_takes_other_fonts_rather_than_drop_a_line(recipe):
    line = TextLine("1", "Ω 한글", "xx", "test", "train")
    alone, mixed = recipe("handwriting"), recipe("clean", mix={"handwriting": 1})
    assert render_line(line, alone, 1, 0).reason == "no_font"
    sample = render_line(line, mixed, 1, 0)
    assert sample.provenance["recipe"] == "handwriting"
    assert "Dancing" not in sample.provenance["font"]
