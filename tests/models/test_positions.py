"""Position tables on grids that are not square."""

import pytest
import torch
from transformers import AutoModel, DeiTConfig, ViTConfig

from glyphline.models.canvas import Canvas
from glyphline.models.positions import adopt_grid, fit_positions, resize_table, sinusoids
from glyphline.settings import InputError

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def encoder(kind: type, image_size, patch_size=8):
    torch.manual_seed(0)
    model = AutoModel.from_config(kind(image_size=image_size, patch_size=patch_size, **SIZES)).eval()
    torch.nn.init.normal_(model.embeddings.position_embeddings)
    return model


@pytest.mark.parametrize("kind", [DeiTConfig, ViTConfig])
def test_full_width_equals_plain_transformers(kind):
    model = encoder(kind, [16, 64])
    pixels = torch.randn(2, 3, 16, 64)
    plain = model(pixel_values=pixels).last_hidden_state
    adopt_grid(model.embeddings)
    torch.testing.assert_close(model(pixel_values=pixels, interpolate_pos_encoding=True).last_hidden_state, plain)


@pytest.mark.parametrize("kind", [DeiTConfig, ViTConfig])
def test_narrow_batch_takes_the_left_columns(kind):
    model = encoder(kind, [16, 64], [8, 4])
    embeddings = model.embeddings
    adopt_grid(embeddings)
    assert (embeddings.rows, embeddings.columns) == (2, 16)
    pixels = torch.randn(1, 3, 16, 64)
    wide = embeddings(pixels, interpolate_pos_encoding=True)
    narrow = embeddings(pixels[..., :24], interpolate_pos_encoding=True)
    special = embeddings.special
    expected = wide[:, special:].unflatten(1, (2, 16))[:, :, :6].flatten(1, 2)
    torch.testing.assert_close(narrow[:, special:], expected)
    torch.testing.assert_close(narrow[:, :special], wide[:, :special])


def test_wider_than_the_canvas_is_an_error():
    model = encoder(DeiTConfig, [16, 64])
    adopt_grid(model.embeddings)
    with pytest.raises(InputError, match="larger than the model's canvas"):
        model(pixel_values=torch.randn(1, 3, 16, 128), interpolate_pos_encoding=True)


def test_resize_keeps_special_tokens_and_constants():
    table = torch.cat([torch.full((1, 2, 3), 9.0), torch.full((1, 16, 3), 2.5)], 1)
    resized = resize_table(table, (4, 4), (2, 10))
    assert resized.shape == (1, 22, 3)
    assert (resized[:, :2] == 9).all()
    torch.testing.assert_close(resized[:, 2:], torch.full((1, 20, 3), 2.5))
    torch.testing.assert_close(resize_table(table, (4, 4), (4, 4)), table)


def test_square_resize_equals_transformers_own():
    """The one case that transformers gets right: from a square grid."""
    model = encoder(DeiTConfig, 32)
    expected = model.embeddings.interpolate_pos_encoding(torch.zeros(1, 2 + 2 * 8, 16), 16, 64)
    torch.testing.assert_close(resize_table(model.embeddings.position_embeddings, (4, 4), (2, 8)), expected)


def test_square_checkpoint_takes_a_line_canvas():
    model = encoder(DeiTConfig, 32)
    fit_positions(model, Canvas("line", 16, 128))
    assert model(pixel_values=torch.randn(1, 3, 16, 128)).last_hidden_state.shape == (1, 2 + 2 * 16, 16)
    with pytest.raises(InputError, match="no multiple of the checkpoint's patch"):
        fit_positions(model, Canvas("line", 20, 128))


@pytest.mark.parametrize("size", [16, 192, 30])
def test_sinusoids_tell_every_place_and_depend_on_distance_alone(size):
    table = sinusoids(3, 11, size)
    assert table.shape == (33, size)
    assert torch.cdist(table, table).add(torch.eye(33) * 9).min() > 0.1
    grid = table.unflatten(0, (3, 11))
    products = torch.stack([(grid[:, :-2] * grid[:, 2:]).sum(-1), (grid[:, :1] * grid[:, 2:3]).sum(-1).expand(3, 9)])
    torch.testing.assert_close(products[0], products[1], atol=1e-3, rtol=1e-4)
    near, far = (grid[0, 0] * grid[0, 1]).sum(), (grid[0, 0] * grid[0, 4]).sum()
    assert near > far


def test_random_encoders_start_from_sinusoids():
    from glyphline.models.families.trocr import Settings
    from glyphline.models.parts import POSITION_SCALE, make_encoder

    encoder = make_encoder(Settings(encoder_size=32, encoder_heads=2), Canvas("line", 32, 64))
    table = encoder.embeddings.position_embeddings
    torch.testing.assert_close(table[0, 2:], POSITION_SCALE * sinusoids(2, 8, 32))
    assert table.requires_grad
