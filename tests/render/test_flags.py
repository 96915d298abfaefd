"""TRDG's flags: each changes the picture, on both engines, and generate_images.sh takes them."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.render.conftest import FONTS, KOREAN

from glyphline.images import load
from glyphline.render.flags import ALIASES, translate
from glyphline.render.job import RenderSettings, make_plan, resolve
from glyphline.settings import InputError

ROOT = Path(__file__).parents[2]

FLAGS = [
    {"skew_angle": 8}, {"skew_angle": 8, "random_skew": True}, {"blur": 2}, {"blur": 3, "random_blur": True},
    {"background": 1}, {"background": 2}, {"background": 3}, {"distorsion": 1}, {"distorsion": 2}, {"distorsion": 3},
    {"distorsion": 1, "distorsion_orientation": 1}, {"distorsion": 1, "distorsion_orientation": 2}, {"width": 900},
    {"width": 900, "alignment": 0}, {"width": 900, "alignment": 2}, {"orientation": 1}, {"text_color": "#ff0000"},
    {"text_color": "#000000,#888888"}, {"space_width": 2.5}, {"character_spacing": 6}, {"margins": "1,20,9,2"},
    {"fit": True}, {"case": "upper"}, {"stroke_width": 2}, {"stroke_width": 2, "stroke_fill": "#ff0000"},
]  # fmt: skip
BASES = {"random_skew": {"skew_angle": 8}, "random_blur": {"blur": 3}, "alignment": {"width": 900}}


def picture(lines_file, engine, flags):
    options = {
        "corpus": lines_file,
        "output": "unused",
        "language": "ko",
        "preset": "trdg",
        "engine": engine,
        "seed": 3,
    }
    settings = RenderSettings(**options, fonts=[f"{FONTS}/NanumSquareR.ttf"], trdg=flags_of(flags), height_px=64)
    sample = make_plan(settings).lines("train")[0]
    assert hasattr(sample, "image"), sample
    return sample.image


def flags_of(flags):
    from glyphline.render.recipe import TrdgSettings

    return TrdgSettings(**flags)


@pytest.fixture(scope="module")
def latin(tmp_path_factory):
    file = tmp_path_factory.mktemp("t") / "lines.txt"
    file.write_text("Hello 안녕 하늘\n", encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("engine", ["native", "trdg"])
@pytest.mark.parametrize("flags", FLAGS, ids=lambda flags: "-".join(f"{k}={v}" for k, v in flags.items()))
def test_changes_the_picture(flags, engine, latin):
    if engine == "trdg" or flags.get("background") == 3:
        pytest.importorskip("trdg")
    plain = picture(latin, engine, {})
    base = next((base for key, base in BASES.items() if key in flags), {})
    less = picture(latin, engine, base) if base else plain
    changed = picture(latin, engine, flags)
    assert changed.dtype == np.uint8
    assert changed.shape != less.shape or (changed != less).any()


def test_image_mode(latin):
    pytest.importorskip("trdg")
    assert picture(latin, "trdg", {"image_mode": "L"}).ndim == 2
    assert picture(latin, "trdg", {}).ndim == 3
    assert picture(latin, "native", {"image_mode": "L", "text_color": "#282828"}).ndim == 2


def test_word_split_matters_to_the_trdg_engine(latin):
    pytest.importorskip("trdg")
    one, other = picture(latin, "trdg", {}), picture(latin, "trdg", {"word_split": True})
    assert one.shape != other.shape or (one != other).any()


def test_alignment_places_the_text(latin):
    for engine in ("native", "trdg"):
        if engine == "trdg":
            pytest.importorskip("trdg")
        middles = []
        for alignment in (0, 1, 2):
            image = picture(latin, engine, {"width": 900, "alignment": alignment, "background": 1})
            grey = image if image.ndim == 2 else image[:, :, 0]
            middles.append(np.flatnonzero((grey < 128).any(axis=0)).mean())
        assert middles[0] < middles[1] < middles[2]


def test_margins_in_pixels(latin):
    image = picture(latin, "native", {"margins": "2,30,4,50", "background": 1, "fit": True})
    columns = np.flatnonzero((image < 128).any(axis=0))
    assert abs(columns[0] - 30) <= 1
    assert abs(image.shape[1] - 1 - columns[-1] - 50) <= 1
    assert image.shape[0] == 64


def test_bad_values_name_the_flag(latin):
    for flags, says in (({"margins": "1,2"}, "-m"), ({"text_color": "red"}, "-tc"), ({"margins": "60,1,1,1"}, "-m")):
        with pytest.raises(InputError, match=says):
            resolve(RenderSettings(corpus=latin, output="x", trdg=flags_of(flags), height_px=32))


def test_every_alias_leads_to_an_option():
    from glyphline.render.job import main

    known = {option for action in main.parser()._actions for option in action.option_strings}
    assert {target.partition("=")[0] for target in ALIASES.values()} <= known


def test_translate():
    assert translate(["--fonts", "a", "b", "-t", "2"]) == ["--fonts+=a", "--fonts+=b", "-t", "2"]
    assert translate(["--fonts", "a", "-ft", "b"]) == ["--fonts+=b"]
    assert translate(["-e", "jpg", "-w", "5", "-i", "x"]) == ["-e", "jpeg", "-i", "x"]


def shell(*arguments):
    done = subprocess.run([str(ROOT / "generate_images.sh"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("engine", ["native", "trdg"])
def test_the_shell_script_as_its_users_know_it(engine, lines_file, tmp_path):
    if engine == "trdg":
        pytest.importorskip("trdg")
    out = tmp_path / "out"
    count = "30" if engine == "native" else "10"
    shell(
        "-i",
        lines_file,
        "-w",
        "5",
        "-t",
        "2",
        "-f",
        "64",
        "-l",
        "ko",
        "-c",
        count,
        "-na",
        "2",
        "--output_dir",
        str(out),
        "--engine",
        engine,
    )
    rows = (out / "labels.txt").read_text(encoding="utf-8").splitlines()
    assert rows[:8] == [f"{n}.jpg {text}" for n, text in enumerate(KOREAN)]
    assert len(rows) == int(count)
    for number in range(int(count)):
        image = load(out / f"{number}.jpg")
        assert image.shape[0] == 64
        assert (image < 110).mean() > 0.01


def test_the_shell_script_is_short_and_keeps_the_locale():
    text = (ROOT / "generate_images.sh").read_text()
    assert len(text.splitlines()) < 30
    assert "LANG=" not in text
    assert "set -euo pipefail" in text
    assert os.access(ROOT / "generate_images.sh", os.X_OK)
