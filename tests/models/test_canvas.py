"""One preprocessing: the same tensors in training, scoring, reading and plain transformers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glyphline.models.canvas import Canvas, Preprocessor, canvas_of
from glyphline.settings import InputError


def picture(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@given(
    mode=st.sampled_from(["line", "squash"]),
    height=st.integers(1, 90),
    width=st.integers(1, 700),
    channels=st.sampled_from([1, 3]),
)
@settings(max_examples=60, deadline=None)
def test_equals_the_stock_processor_pixel_for_pixel(mode, height, width, channels):
    preprocessor = Preprocessor(Canvas(mode, 32, 256, 32))
    image = picture(height, width, channels)
    if mode == "line" and min(preprocessor.fitted_size(height, width)) <= 1:
        return  # a sliver: the stock processor rounds it away
    ours = preprocessor.normalise(preprocessor.stack([preprocessor.fit(image)], width=256))
    stock = preprocessor.image_processor()(images=Image.fromarray(image).convert("RGB"), return_tensors="pt")
    torch.testing.assert_close(ours, stock.pixel_values, atol=1e-6, rtol=0)


def test_padding_is_white_and_white_is_zero():
    preprocessor = Preprocessor(Canvas("line", 32, 256, 64))
    batch = preprocessor.stack([preprocessor.fit(picture(32, 70, 1)), preprocessor.fit(picture(32, 20, 3))])
    assert tuple(batch.shape) == (2, 3, 32, 128)
    assert (batch[0, :, :, 70:] == 255).all()
    assert (preprocessor.normalise(batch)[1, :, :, 20:] == 0).all()


@pytest.mark.parametrize(("width", "padded"), [(1, 64), (64, 64), (65, 128), (250, 250), (256, 250)])
def test_padded_width_is_the_next_step_and_never_over_the_canvas(width, padded):
    assert Preprocessor(Canvas("line", 32, 250, 64)).padded_width(width) == padded


def test_long_lines_are_scaled_down_with_their_aspect():
    assert Preprocessor(Canvas("line", 32, 320)).fitted_size(64, 1280) == (16, 320)
    assert Preprocessor(Canvas("line", 32, 320)).fitted_size(64, 320) == (32, 160)


def test_canvas_survives_the_stock_processor():
    for canvas in (Canvas("line", 32, 320, 64), Canvas("squash", 384, 384, 64)):
        again = canvas_of(Preprocessor(canvas).image_processor())
        assert (again.mode, again.height, again.width) == (canvas.mode, canvas.height, canvas.width)


@pytest.mark.parametrize("shape", [(0, 10), (10, 0), (4, 4, 4, 4), (5,)])
def test_nothing_to_read_is_an_error(shape):
    with pytest.raises(InputError, match="nothing to read"):
        Preprocessor(Canvas()).fit(np.zeros(shape, np.uint8))
