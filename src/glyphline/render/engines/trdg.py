"""TextRecognitionDataGenerator 1.8.0 behind the engine interface: the only file that knows the package.

It draws from global generators, opens the font once a line, swallows errors and returns None; here it is seeded per
line, given its font, and None becomes a counted refusal. Install it with `pip install --no-deps trdg==1.8.0`.
"""

from __future__ import annotations

import contextlib
import functools
import io
import random
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import cv2
import numpy as np

from glyphline.optional import need
from glyphline.render.bidi import is_plain
from glyphline.render.engines import Refusal, Task
from glyphline.render.scripts import script_of
from glyphline.settings import InputError

_PIECEWISE = frozenset(["Hang", "Hani", "Hira", "Kana", "Latn", "Cyrl", "Grek", "Armn", "Geor", "Zyyy", "Bopo"])
"""Scripts that TRDG's drawing character by character gets right; others are drawn in one piece."""


def render(task: Task, rng: np.random.Generator) -> np.ndarray | Refusal:
    """Draw one line with TRDG; `(H, W)` grey or `(H, W, 3)`."""
    if task.choice.companion or task.choice.face.index:
        return Refusal("trdg_font", "needs two fonts, or is one of a collection: TRDG opens one font file")
    options, text = task.recipe.trdg, task.line.text
    whole = not is_plain(text) or any(script_of(c) not in _PIECEWISE or unicodedata.combining(c) for c in text)
    if whole:
        # One "word": without plain spaces TRDG hands the line to raqm in one piece, which orders and shapes it.
        text = text.replace(" ", "\u00a0")
    with _seeded(int(rng.integers(2**31))), contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            picture = _generator().generate(0, text, task.choice.face.path, None, *_arguments(task, options, whole))
        except (ValueError, ZeroDivisionError, IndexError, TypeError, OSError, SystemError) as error:
            return Refusal("trdg_error", f"{type(error).__name__}: {error}")
    if picture is None:
        return Refusal("trdg_none", " ".join(said.getvalue().split())[:80] or "swallowed an error of its own")
    if picture.width > task.recipe.max_width_px:
        return Refusal("too_wide", f"{picture.width} px")
    return np.asarray(picture).copy()


def _arguments(task: Task, options: Any, whole: bool) -> tuple:  # noqa: ANN401
    """Return `generate`'s arguments from `size` on, in its order."""
    low, _, high = options.text_color.partition(",")
    color = ",".join(sorted([low, high])) if high else low
    margins = [int(value) for value in options.margins.split(",")]
    return (
        task.recipe.height_px, None, options.skew_angle, options.random_skew, options.blur, options.random_blur,
        options.background, options.distorsion, options.distorsion_orientation, False, 0, options.width,
        options.alignment, color, options.orientation, options.space_width, options.character_spacing,
        tuple(margins * 4 if len(margins) == 1 else margins), options.fit, False, options.word_split or whole,
        _image_folder(options.image_dir), options.stroke_width, options.stroke_fill, options.image_mode,
    )  # fmt: skip


def _image_folder(folder: str) -> str:
    """Return the folder of background pictures: the user's, or the package's own."""
    return folder or str(files(need("trdg", "trdg")) / "images")


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generators that TRDG draws from, and give Python's back as it was."""
    before = random.getstate()
    random.seed(seed)
    cv2.setRNGSeed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@functools.cache
def _generator() -> Any:  # noqa: ANN401
    """Import the package, quietly, and repair what Pillow 10 took away from under it."""
    with contextlib.redirect_stdout(io.StringIO()):
        need("trdg", "trdg")
        try:
            from trdg.data_generator import FakeTextDataGenerator
        except ImportError as error:
            raise InputError(f"trdg cannot be imported ({error}): pip install --no-deps trdg==1.8.0") from error
    from PIL import ImageFont

    if not hasattr(ImageFont.FreeTypeFont, "getsize"):
        ImageFont.FreeTypeFont.getsize = _getsize
    return FakeTextDataGenerator


def _getsize(font: Any, text: str, **options: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return what Pillow's removed `getsize` returned: the width, and the bottom (not the height) of the ink."""
    left, _, right, bottom = font.getbbox(text, **options)
    return right - left, bottom
