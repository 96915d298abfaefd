"""The crnn family: its loss by definition, readings by a second path, no picture changed by its company."""

import itertools
import json

import numpy as np
import pytest
import torch
from tiny import TEXTS, noise_pictures

from glyphline.models import beam, ctc, load_recogniser
from glyphline.models.canvas import Canvas
from glyphline.models.card import Card
from glyphline.models.families import crnn
from glyphline.settings import InputError
from glyphline.text import charset

SIZES = {"lstm_size": 12, "lstm_layers": 1}


def tiny_crnn(seed: int = 0, canvas: Canvas | None = None, **options) -> crnn.CrnnRecogniser:
    torch.manual_seed(seed)
    card = Card("crnn", canvas or Canvas("line", 32, 160, 32), 24, charset(TEXTS))
    model = crnn.build(crnn.Settings(**SIZES | options), card).eval()
    for name, weights in model.named_parameters():  # spread, so that readings differ from picture to picture
        if name.startswith(("lstm", "head")):
            torch.nn.init.normal_(weights, std=0.7)
    return model


@pytest.fixture(scope="module")
def recogniser():
    return tiny_crnn()


def pixels_of(recogniser, pictures, width=None):
    return recogniser.preprocessor.stack([recogniser.preprocessor.fit(picture) for picture in pictures], width)


def batch_of(recogniser, texts, widths=(150, 90, 120, 60)):
    pictures = noise_pictures(widths[: len(texts)])
    return {"pixel_values": pixels_of(recogniser, pictures)} | recogniser.labels(texts)


@torch.no_grad()
def test_loss_by_definition(recogniser):
    texts = ["안녕", "10.5%", "ㅋㅋㅋ"]
    batch = batch_of(recogniser, texts)
    output = recogniser(**batch)
    columns, lengths = recogniser.encode(batch["pixel_values"])
    short = recogniser.shortcut(columns.transpose(1, 2)).transpose(1, 2)
    totals = []
    for logits in (output.logits, short):
        frames = [row[:length].log_softmax(-1).numpy() for row, length in zip(logits, lengths, strict=True)]
        pairs = zip(frames, texts, strict=True)
        totals.append(-sum(ctc.log_likelihood(f, recogniser.labels.characters(t)) for f, t in pairs))
    count = sum(map(len, texts))
    assert float(recogniser.branch_losses["ctc"]) == pytest.approx(totals[0] / count, rel=1e-4)
    assert float(recogniser.branch_losses["shortcut"]) == pytest.approx(totals[1] / count, rel=1e-4)
    assert float(output.loss) == pytest.approx((totals[0] + 0.1 * totals[1]) / count, rel=1e-4)
    assert float(recogniser(**batch, num_items_in_batch=2 * count).loss) == pytest.approx(float(output.loss) / 2)


@torch.no_grad()
def test_a_line_without_room_counts_nothing_and_is_known_before(recogniser):
    picture = noise_pictures((20,))[0]  # 16 pixels on the canvas: two frames
    assert recogniser.frames_of(picture) == 2
    assert [recogniser.frames_for(text) for text in ("안", "ㅋㅋ", "안녕")] == [1, 3, 2]
    batch = {"pixel_values": pixels_of(recogniser, [picture])} | recogniser.labels(["ㅋㅋ"])
    assert float(recogniser(**batch).loss) == 0.0
    assert float(recogniser(**batch | recogniser.labels(["안녕"])).loss) > 0.0


@torch.no_grad()
@pytest.mark.parametrize("column_width", [4, 8, 16, 32])
def test_columns_do_not_depend_on_padding_or_company(column_width):
    model = tiny_crnn(column_width=column_width)
    pictures = noise_pictures((70, 140, 15, 101))
    together, lengths = model.encode(pixels_of(model, pictures))
    logits = model.logits(together, lengths)
    for i, picture in enumerate(pictures):
        alone, length = model.encode(pixels_of(model, [picture], width=model.preprocessor.fit(picture).shape[1]))
        assert length[0] == lengths[i] == model.frames_of(picture)
        assert alone.shape[1] == -(-model.preprocessor.fit(picture).shape[1] // column_width) == length[0]
        torch.testing.assert_close(alone[0], together[i, : length[0]], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(model.logits(alone, length)[0], logits[i, : length[0]], atol=1e-4, rtol=1e-4)
        assert not together[i, length[0] :].any()


def test_reading_does_not_depend_on_company_or_order(recogniser):
    pictures = noise_pictures((60, 150, 62, 20, 300, 61))
    for mode in recogniser.modes:
        together = [reading.text for reading in recogniser.read(pictures, mode, batch_size=3)]
        assert len(set(together)) > 3
        assert together == [recogniser.read([picture], mode)[0].text for picture in pictures]
        backwards = recogniser.read(pictures[::-1], mode, batch_size=2)[::-1]
        assert together == [reading.text for reading in backwards]


def test_colour_reads_like_its_grey(recogniser):
    for picture in noise_pictures((60, 90)):
        colour = np.repeat(picture[..., None], 3, 2)
        assert recogniser.read([colour])[0].text == recogniser.read([picture])[0].text


@torch.no_grad()
def test_greedy_and_beam_read_what_brute_force_finds():
    """Four characters, five frames: every path there is."""
    card = Card("crnn", Canvas("line", 32, 160, 32), 24, "가나다 ")
    for seed in range(4):
        torch.manual_seed(seed)
        model = crnn.build(crnn.Settings(**SIZES, beam_width=10_000), card).eval()
        torch.nn.init.normal_(model.head.weight, std=1.0)
        picture = noise_pictures((50,), seed)[0]
        frames = model.frames(model.encode(pixels_of(model, [picture])))[0]
        assert frames.shape == (5, 5)
        totals: dict[tuple[int, ...], float] = {}
        for path in itertools.product(range(5), repeat=5):
            labels = tuple(ctc.collapse(path))
            totals[labels] = totals.get(labels, 0.0) + float(np.exp(sum(frames[t, s] for t, s in enumerate(path))))
        best = max(totals, key=totals.get)
        reading = model.read_beam(beam.sparse(frames, most=0))
        assert reading.text == " ".join("".join(card.charset[label - 1] for label in best).split())
        assert reading.confidence == pytest.approx(totals[best] ** (1 / max(1, len(best))), rel=1e-3)
        greedy = ctc.collapse(frames.argmax(-1))
        assert model.read([picture], "ctc")[0].text == " ".join("".join(card.charset[i - 1] for i in greedy).split())


def test_the_language_of_the_training_texts_is_listened_to(recogniser):
    model = tiny_crnn(language_order=3)
    model.learn_language(["안녕하세요 세계"] * 20)
    ids = model.labels.character_ids
    frames = [{0: -4.0, ids["안"]: -0.1}, {0: -4.0, ids["오"]: -0.7, ids["녕"]: -0.8}, {0: -0.1, ids["하"]: -3.0}]
    assert model.read_beam(frames, 0.0, 0.0).text == "안오"
    assert model.read_beam(frames, 0.5, 0.0).text.startswith("안녕")


def test_auto_searches_only_where_the_best_path_is_in_doubt(recogniser, monkeypatch):
    pictures = noise_pictures((50, 90, 140, 33))
    fast = recogniser.read(pictures, "ctc")
    assert recogniser.modes == ("ctc",) and recogniser.read(pictures) == fast
    trust = sorted(reading.confidence for reading in fast)[2]
    model = tiny_crnn(trust=trust)
    model.learn_language(TEXTS)
    slow = model.read(pictures, "beam")
    expected = [a if a.confidence >= trust else b for a, b in zip(fast, slow, strict=True)]
    assert [reading.mode for reading in expected].count("beam") == 2
    assert [(r.text, r.mode) for r in model.read(pictures)] == [(r.text, r.mode) for r in expected]


def test_a_folder_reads_the_same(tmp_path):
    model = tiny_crnn(language_order=3, language_weight=0.5, trust=1.0)
    model.learn_language(TEXTS)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == ["CrnnRecogniser"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    again = load_recogniser(str(tmp_path), "cpu")
    pictures = noise_pictures((60, 300, 120))
    for mode in ("auto", *model.modes):
        assert again.read(pictures, mode) == model.read(pictures, mode)
    (tmp_path / "glyphline.json").write_text("{")
    with pytest.raises(InputError, match="glyphline.json: damaged"):
        load_recogniser(str(tmp_path), "cpu")


def test_growing_keeps_what_is_known(tmp_path):
    model = tiny_crnn(language_order=3)
    model.learn_language(TEXTS)
    batch = batch_of(model, TEXTS[:2])
    known = len(model.card.charset)
    assert model.lacks("한글 안é") == "글한"
    with torch.no_grad():
        before = model(**batch).logits
        said = model.language((1, 2)).copy()
        model.grow("한글 안é")
        after = model(**batch).logits
    torch.testing.assert_close(after[..., : known + 1], before)
    assert after.shape[-1] == known + 3
    assert model.lacks("한글 안é") == ""
    assert model.labels.characters("글") == [known + 1]
    assert model.language((1, 2)).shape == (known + 3,)
    np.testing.assert_allclose(np.exp(model.language((1, 2)))[: known + 1], np.exp(said), atol=0.02)
    model(**batch).loss.backward()
    model.save_pretrained(tmp_path)
    again = load_recogniser(str(tmp_path), "cpu")
    with torch.no_grad():
        torch.testing.assert_close(again(**batch).logits, model.eval()(**batch).logits)


def test_what_may_change_on_a_model_that_exists(recogniser):
    model = tiny_crnn()
    model.retune({"beam_width": 3, "language_weight": 0.2})
    assert model.card.options["beam_width"] == 3
    with pytest.raises(InputError, match="'lstm_size' cannot be changed"):
        model.retune({"lstm_size": 8})


def test_a_later_stage_may_do_without_the_shortcut(tmp_path):
    model = tiny_crnn()
    batch = batch_of(model, TEXTS[:2])
    with torch.no_grad():
        before = model(**batch).logits
    model.retune({"shortcut_weight": 0.0})
    model.save_pretrained(tmp_path)
    again = load_recogniser(str(tmp_path), "cpu")
    assert again.shortcut is None and set(again.branch_losses) == set()
    with torch.no_grad():
        torch.testing.assert_close(again(**batch).logits, before)
    assert set(again.branch_losses) == {"ctc"}
    with pytest.raises(InputError, match="cannot be added later"):
        again.retune({"shortcut_weight": 0.1})


@pytest.mark.parametrize("wrong", [{"backbone": "vgg"}, {"column_width": 5}, {"dropout": 1.0}, {"trust": 2.0},
                                   {"lstm_size": 0}])  # fmt: skip
def test_settings_that_cannot_be_are_errors(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        crnn.Settings(**wrong)


def test_without_a_shortcut_every_weight_still_learns():
    for weight, expected in ((0.0, {"ctc"}), (0.1, {"ctc", "shortcut"})):
        model = tiny_crnn(shortcut_weight=weight).train()
        model(**batch_of(model, ["안녕", "세계"])).loss.backward()
        assert set(model.branch_losses) == expected
        assert all(p.grad is not None for p in model.parameters())


def test_the_larger_backbones_are_residual_networks_of_18_and_34_layers():
    for name, layers in (("resnet18", 17), ("resnet34", 33)):
        columns = crnn.Columns(name, 8)
        main = [m for n, m in columns.named_modules() if isinstance(m, torch.nn.Conv2d) and "around" not in n]
        assert len(main) == layers  # the last layer of the original is its classifier
        assert columns(torch.zeros(1, 1, 32, 64), torch.tensor([64]))[0].shape == (1, 8, 512)
