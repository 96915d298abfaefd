"""Every model family, by its default settings, learns, reads, is saved and loaded, and takes new characters."""

import dataclasses
import inspect

import numpy as np
import pytest
import torch

from glyphline import plugins
from glyphline.models import load_recogniser
from glyphline.models.canvas import Canvas
from glyphline.models.card import Card
from glyphline.models.tokenizer import TokenizerSettings, train_tokenizer
from glyphline.settings import InputError
from glyphline.text import charset

FAMILIES = plugins.available("family")
TEXTS = ["안녕하세요", "10.5% 올랐다", "le café"]


def build(family: str):
    torch.manual_seed(0)
    module = plugins.load("family", family)
    tokenizer = train_tokenizer(TEXTS, TokenizerSettings("char")) if getattr(module, "TOKENIZER", True) else None
    card = Card(family, getattr(module, "CANVAS", Canvas("line", 32, 320, 32)), 24, charset(TEXTS))
    return module.build(module.Settings(), card, tokenizer)


@pytest.fixture(scope="module", params=FAMILIES)
def recogniser(request):
    return build(request.param).eval()


def pictures():
    generator = np.random.default_rng(1)
    return [generator.integers(0, 256, (32, width), dtype=np.uint8) for width in (200, 120, 160)]


@pytest.mark.parametrize("family", FAMILIES)
def test_settings_say_what_they_are(family):
    module = plugins.load("family", family)
    assert module.__doc__
    classes = [cls for cls in module.Settings.__mro__ if dataclasses.is_dataclass(cls)]
    source = "".join(inspect.getsource(cls) for cls in classes)
    for field in dataclasses.fields(module.Settings):
        following = source.split(f"    {field.name}: ", 1)[1].split("\n", 1)[1]
        assert following.lstrip().startswith('"""'), f"{field.name} has no sentence"


def test_the_loss_is_a_sum_over_the_labels_of_the_step(recogniser):
    fitted = [recogniser.preprocessor.fit(picture) for picture in pictures()]
    batch = {"pixel_values": recogniser.preprocessor.stack(fitted)} | recogniser.labels(TEXTS)
    assert recogniser.accepts_loss_kwargs
    with torch.no_grad():
        count = int((batch["labels"] != -100).sum())
        loss = float(recogniser(**batch).loss)
        assert float(recogniser(**batch, num_items_in_batch=4 * count).loss) == pytest.approx(loss / 4, rel=1e-4)
    assert 0 < loss < 100
    assert recogniser.labels.lengths(TEXTS)[0] >= len(TEXTS[0])


def test_every_mode_reads_and_a_folder_reads_the_same(recogniser, tmp_path):
    recogniser.save_pretrained(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors", ".txt", ".jinja"}
    again = load_recogniser(str(tmp_path), "cpu")
    assert type(again) is type(recogniser)
    assert set(again.state_dict()) == set(recogniser.state_dict())
    for mode in ("auto", *recogniser.modes):
        read = recogniser.read(pictures(), mode)
        assert len(read) == 3
        assert all(0.0 <= reading.confidence <= 1.0 for reading in read)
        assert [reading.text for reading in again.read(pictures(), mode)] == [reading.text for reading in read]
    with pytest.raises(InputError, match="reads by auto"):
        recogniser.read(pictures(), "aloud")


@pytest.mark.parametrize("family", FAMILIES)
def test_new_characters_find_room(family):
    model = build(family)
    assert model.lacks("안é") == ""
    assert model.lacks("글안") == "글"
    model.grow("글")
    assert model.lacks("글안") == ""
    model.eval().read(pictures()[:1])


def test_shapes_are_not_changed_on_a_model_that_exists(recogniser):
    with pytest.raises(InputError, match="cannot be changed"):
        recogniser.retune({"no_such_size": 3})
