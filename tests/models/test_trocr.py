"""The trocr family: losses by their definitions, readings by a second path, folders that others open."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import SIZES, TEXTS, noise_pictures, tiny_recogniser
from torch.nn import functional
from transformers import AutoTokenizer, TrOCRProcessor, VisionEncoderDecoderModel

from glyphline.models import ctc, load_recogniser
from glyphline.models.canvas import Canvas
from glyphline.models.card import Card
from glyphline.models.families import trocr
from glyphline.models.tokenizer import TokenizerSettings, train_tokenizer
from glyphline.settings import InputError


@pytest.fixture(scope="module")
def recogniser():
    return tiny_recogniser()


def batch_of(recogniser, texts):
    pictures = noise_pictures((90,) * len(texts))
    pixels = recogniser.preprocessor.stack([recogniser.preprocessor.fit(picture) for picture in pictures])
    return {"pixel_values": pixels} | recogniser.labels(texts)


@torch.no_grad()
def test_loss_by_definition(recogniser):
    texts = TEXTS[:3]
    batch = batch_of(recogniser, texts)
    output = recogniser(**batch)
    total = count = 0.0
    for row, labels in zip(output.logits, batch["labels"], strict=True):
        for step, label in enumerate(labels.tolist()):
            if label != -100:
                total -= float(row[step].log_softmax(-1)[label])
                count += 1
    assert float(recogniser.branch_losses["decoder"]) == pytest.approx(total / count, rel=1e-5)
    log_probs = recogniser.ctc_log_probs(recogniser.encode(batch["pixel_values"])).numpy()
    ctc_total = 0.0
    for frames, text in zip(log_probs, texts, strict=True):
        likelihood = ctc.log_likelihood(frames, recogniser.labels.characters(text))
        ctc_total -= 0.0 if np.isinf(likelihood) else likelihood
    assert float(recogniser.branch_losses["ctc"]) == pytest.approx(ctc_total / count, rel=1e-4)
    assert float(output.loss) == pytest.approx(0.5 * (total + ctc_total) / count, rel=1e-4)


def test_parts_of_a_step_add_up_to_the_step(recogniser):
    """Lines of very unlike length: the mean of the parts' means would be something else."""
    texts = [TEXTS[0] * 2, "하", "ㅋ", TEXTS[2]]
    batch = batch_of(recogniser, texts)
    count = (batch["labels"] != -100).sum()

    def gradient(parts):
        recogniser.zero_grad()
        for part in parts:
            recogniser(**{name: rows[part] for name, rows in batch.items()}, num_items_in_batch=count).loss.backward()
        return {name: p.grad.clone() for name, p in recogniser.named_parameters() if p.grad is not None}

    whole, halves = gradient([slice(0, 4)]), gradient([slice(0, 1), slice(1, 4)])
    assert "ctc_head.weight" in whole
    for name, expected in whole.items():
        assert torch.allclose(halves[name], expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()) + 1e-7), name
    recogniser.zero_grad()


def test_label_smoothing_equals_transformers_own():
    from transformers.trainer_pt_utils import LabelSmoother

    model = tiny_recogniser(ctc=False, label_smoothing=0.2).train()
    batch = batch_of(model, TEXTS[:2])
    output = model(**batch)
    expected = LabelSmoother(0.2)({"logits": output.logits}, batch["labels"])
    assert float(output.loss) == pytest.approx(float(expected), rel=1e-5)
    assert float(model.eval()(**batch).loss) != pytest.approx(float(expected), rel=1e-3)


def test_decoder_noise_changes_the_wanted_share_in_training_alone():
    model = tiny_recogniser(decoder_noise=0.3)
    inputs = torch.full((50, 21), 5)
    inputs[:, 0] = 1
    assert torch.equal(model._noisy(inputs), inputs)
    noisy = model.train()._noisy(inputs)
    assert torch.equal(noisy[:, 0], inputs[:, 0])
    assert 0.25 < float((noisy[:, 1:] != 5).float().mean()) < 0.35
    assert int(noisy.max()) < model.config.decoder.vocab_size


def test_guidance_is_part_of_the_loss_in_training_where_tokens_are_characters():
    model = tiny_recogniser(guidance=0.4, ctc_weight=0.5)
    batch = batch_of(model, TEXTS[:3])
    assert "attention" not in model(**batch).keys() | model.branch_losses.keys()
    loss, branches = float(model.train()(**batch).loss.detach()), model.branch_losses
    expected = 0.5 * branches["decoder"] + 0.5 * branches["ctc"] + 0.4 * branches["attention"]
    assert loss == pytest.approx(float(expected), rel=1e-5)
    for other in (tiny_recogniser(guidance=0.0), tiny_recogniser(ctc=False), tiny_recogniser(ctc_weight=1.0)):
        other.train()(**batch_of(other, TEXTS[:3]))
        assert "attention" not in other.branch_losses
    for settings in (TokenizerSettings("jamo"), TokenizerSettings("unigram", vocab_size=320)):
        card = Card("trocr", model.card.canvas, 64, model.card.charset)
        several = trocr.build(trocr.Settings(**SIZES), card, train_tokenizer(TEXTS, settings))
        several.train()(**batch_of(several, TEXTS[:3]))
        assert "attention" not in several.branch_losses, settings.kind


@torch.no_grad()
def test_padding_of_labels_changes_nothing(recogniser):
    batch = batch_of(recogniser, TEXTS[:2])
    wider = {
        **batch,
        "labels": functional.pad(batch["labels"], (0, 3), value=-100),
        "ctc_labels": functional.pad(batch["ctc_labels"], (0, 2), value=-100),
    }
    assert float(recogniser(**wider).loss) == pytest.approx(float(recogniser(**batch).loss), rel=1e-6)


@torch.no_grad()
def test_teacher_forced_logits_equal_step_by_step(recogniser):
    batch = batch_of(recogniser, [TEXTS[0]])
    states = trocr.BaseModelOutput(last_hidden_state=recogniser.encode(batch["pixel_values"]))
    forced = recogniser(encoder_outputs=states, labels=batch["labels"]).logits[0]
    ids = [recogniser.config.decoder_start_token_id, *batch["labels"][0, :-1].tolist()]
    cache, stepped = None, []
    for token in ids:
        output = recogniser(
            encoder_outputs=states, decoder_input_ids=torch.tensor([[token]]), past_key_values=cache, use_cache=True
        )
        cache = output.past_key_values
        stepped.append(output.logits[0, -1])
    torch.testing.assert_close(torch.stack(stepped), forced, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_generation_with_and_without_cache_is_the_same(recogniser):
    states = recogniser.encode(batch_of(recogniser, TEXTS[:3])["pixel_values"])
    for beams in (1, 3):
        texts = [
            recogniser.generate(
                encoder_outputs=trocr.BaseModelOutput(last_hidden_state=states), use_cache=cached, num_beams=beams
            ).tolist()
            for cached in (True, False)
        ]
        assert texts[0] == texts[1]


def test_confidence_of_the_decoder_is_the_mean_of_its_tokens(recogniser):
    picture = noise_pictures((80,))
    reading = recogniser.read(picture, "decoder")[0]
    pixels = recogniser.preprocessor.stack([recogniser.preprocessor.fit(picture[0])])
    with torch.no_grad():
        ids = recogniser.generate(encoder_outputs=trocr.BaseModelOutput(last_hidden_state=recogniser.encode(pixels)))
        labels = ids[:, 1:]
        logits = recogniser(pixel_values=pixels, labels=labels.clone()).logits
    chosen = logits.log_softmax(-1).gather(-1, labels[..., None]).squeeze(-1)
    assert reading.confidence == pytest.approx(float(chosen.mean().exp()), rel=1e-3)


def test_reading_does_not_depend_on_company_or_order(recogniser):
    pictures = noise_pictures((60, 150, 62, 20, 300, 61))
    together = recogniser.read(pictures, "ctc", batch_size=3)
    alone = [recogniser.read([picture], "ctc")[0] for picture in pictures]
    assert [reading.text for reading in together] == [reading.text for reading in alone]
    backwards = recogniser.read(pictures[::-1], "ctc", batch_size=2)[::-1]
    assert [reading.text for reading in together] == [reading.text for reading in backwards]


def test_auto_takes_the_jointly_likelier_text(recogniser):
    pictures = noise_pictures((50, 90, 140, 33))
    read = recogniser.read_modes(pictures, ("auto", "ctc", "decoder"), batch_size=1)
    for picture, both, fast, slow in zip(pictures, *(read[mode] for mode in ("auto", "ctc", "decoder")), strict=True):
        pixels = recogniser.preprocessor.stack([recogniser.preprocessor.fit(picture)])
        with torch.no_grad():
            states = recogniser.encode(pixels)
            frames = recogniser.ctc_log_probs(states)[0].numpy()
            scores = {}
            for text in {fast.text, slow.text}:
                labels = recogniser.labels([text])["labels"]
                if labels.shape[1] > recogniser.card.max_length:
                    continue
                output = recogniser(encoder_outputs=trocr.BaseModelOutput(last_hidden_state=states), labels=labels)
                by_ctc = ctc.log_likelihood(frames, recogniser.labels.characters(text))
                scores[text] = by_ctc - float(output.loss) * labels.shape[1]
        if scores and len(scores) == len({fast.text, slow.text}):
            assert both.text == max(scores, key=scores.get)


def test_folder_reads_the_same_and_opens_in_plain_transformers(recogniser, tmp_path):
    recogniser.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == ["VisionEncoderDecoderModel"]
    pictures = noise_pictures()
    ours = load_recogniser(str(tmp_path), "cpu")
    for mode in ("ctc", "decoder", "auto"):
        for mine, before in zip(ours.read(pictures, mode), recogniser.read(pictures, mode), strict=True):
            assert (mine.text, mine.mode) == (before.text, before.mode)
            assert mine.confidence == pytest.approx(before.confidence, rel=1e-5)
    plain, missing = VisionEncoderDecoderModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not missing["missing_keys"]
    assert not missing["unexpected_keys"]
    processor, tokenizer = TrOCRProcessor.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    # As wide as the canvas: narrower ones get a narrower batch from us, wider ones are read in windows.
    for picture in noise_pictures((200, 205)):
        pixels = processor(Image.fromarray(picture).convert("RGB"), return_tensors="pt").pixel_values
        text = tokenizer.batch_decode(plain.generate(pixels), skip_special_tokens=True)[0]
        assert text.strip() == ours.read([picture], "decoder")[0].text
    assert plain.generation_config.no_repeat_ngram_size in (None, 0)
    assert plain.generation_config.length_penalty in (None, 1.0)


def test_damaged_folders_are_errors(recogniser, tmp_path):
    recogniser.save_pretrained(tmp_path)
    (tmp_path / "ctc.safetensors").unlink()
    with pytest.raises(InputError, match="ctc.safetensors: missing"):
        load_recogniser(str(tmp_path), "cpu")
    (tmp_path / "glyphline.json").write_text("{")
    with pytest.raises(InputError, match="glyphline.json: damaged"):
        load_recogniser(str(tmp_path), "cpu")
    with pytest.raises(InputError, match="no model here"):
        load_recogniser(str(tmp_path / "nowhere"), "cpu")


def test_growing_keeps_what_is_known(tmp_path):
    model = tiny_recogniser(frames_per_column=2)
    batch = batch_of(model, TEXTS[:2])
    pixels = batch["pixel_values"]
    assert model.lacks("한글 안é") == "글한"
    with torch.no_grad():
        before, logits = model.ctc_head(model.encode(pixels)), model(**batch).logits
        known, tokens = len(model.card.charset), len(model.tokenizer)
        model.grow("한글 안é")
        after, more = model.ctc_head(model.encode(pixels)), model(**batch).logits
    old, new = before.unflatten(-1, (2, -1)), after.unflatten(-1, (2, -1))
    torch.testing.assert_close(new[..., : known + 1], old)
    assert new.shape[-1] == known + 3
    assert model.labels.characters("글") == [known + 1]
    torch.testing.assert_close(more[..., :tokens], logits)
    assert more.shape[-1] == tokens + 2 == model.config.vocab_size
    assert model.lacks("한글 안é") == ""
    assert model.labels.lengths(["한글 안"]) == [5]
    assert model.tokenizer.decode(model.labels.tokens(["한글 안, 글"])[0], skip_special_tokens=True) == "한글 안, 글"
    model.save_pretrained(tmp_path)
    again = load_recogniser(str(tmp_path), "cpu")
    assert again.lacks("한글 안é") == ""
    with torch.no_grad():
        torch.testing.assert_close(again(**batch).logits, more)


def test_with_ctc_alone_the_decoder_rests():
    model = tiny_recogniser(ctc_weight=1.0)
    batch = batch_of(model.train(), TEXTS[:2])
    model(**batch).loss.backward()
    moved = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert moved == {"encoder", "ctc_head"}
    assert model.modes == ("ctc",)
    by_default, by_ctc = (model.eval().read(noise_pictures(), mode) for mode in ("auto", "ctc"))
    assert by_default == by_ctc
    model.retune({"ctc_weight": 0.5})
    assert model.modes == ("ctc", "decoder")
    model(**batch).loss.backward()
    assert model.decoder.lm_head.bias.grad is not None


def test_without_a_head_only_the_decoder_reads():
    model = tiny_recogniser(ctc=False)
    assert model.modes == ("decoder",)
    assert "ctc_labels" not in model.labels(TEXTS)
    assert model.read(noise_pictures(), "auto")[0].mode == "decoder"
    with pytest.raises(InputError, match="reads by auto, decoder"):
        model.read(noise_pictures(), "ctc")


def test_starts_from_published_shapes(tmp_path):
    """DeiT (distilled, square) with a RoBERTa that uses a BERT tokenizer: the Korean proof of concept's two halves."""
    from transformers import AutoModel, BertTokenizer, DeiTConfig, RobertaConfig, RobertaForMaskedLM

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({c for text in TEXTS for c in text})]
    vocabulary += [f"##{character}" for character in vocabulary[5:]]
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizer(vocab=str(tmp_path / "words" / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(tmp_path / "decoder")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    AutoModel.from_config(DeiTConfig(image_size=32, patch_size=16, **sizes)).save_pretrained(tmp_path / "encoder")
    RobertaForMaskedLM(
        RobertaConfig(vocab_size=len(vocabulary), max_position_embeddings=66, pad_token_id=0, **sizes)
    ).save_pretrained(tmp_path / "decoder")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "decoder")
    settings = trocr.Settings(encoder=str(tmp_path / "encoder"), decoder=str(tmp_path / "decoder"), ctc=False)
    model = trocr.build(settings, Card("trocr", Canvas("squash", 64, 64), 24), loaded)
    assert model.config.decoder_start_token_id == loaded.cls_token_id
    labels = model.labels(["안녕"])["labels"]
    assert loaded.cls_token_id not in labels[0].tolist()
    assert labels[0, -1] == loaded.sep_token_id
    model.read(noise_pictures(), "decoder")
    model(**batch_of(model, ["안녕", "세계"])).loss.backward()
    with pytest.raises(InputError, match="has positions for"):
        trocr.build(settings, Card("trocr", Canvas("squash", 64, 64), 100), loaded)


def test_settings_that_cannot_be_are_errors():
    with pytest.raises(InputError, match="multiples of their heads"):
        trocr.Settings(**SIZES | {"encoder_heads": 3})
    with pytest.raises(InputError, match="no multiple of the patch"):
        tiny_recogniser(canvas=Canvas("line", 40, 160))


def test_the_decoder_is_asked_only_where_ctc_doubts(recogniser, monkeypatch):
    pictures = noise_pictures((50, 90, 140, 33))
    fast = recogniser.read(pictures, "ctc")
    trust = sorted(reading.confidence for reading in fast)[2]
    asked = []
    read_decoder = recogniser._read_decoder
    monkeypatch.setattr(recogniser, "_read_decoder", lambda states: asked.append(len(states)) or read_decoder(states))
    monkeypatch.setattr(recogniser, "options", dataclasses.replace(recogniser.options, trust=trust))
    both = recogniser.read(pictures, "auto")
    assert sum(asked) == 2
    for sure, chosen in zip(fast, both, strict=True):
        if sure.confidence >= trust:
            assert chosen == sure
    opinions = recogniser.read_opinions(pictures)
    assert [one.path.text for one in opinions] == [one.fast.text for one in opinions] == [r.text for r in fast]
    assert [one.choose(0.5).text for one in opinions if one.path.confidence < trust] == [
        reading.text for reading, sure in zip(both, fast, strict=True) if sure.confidence < trust
    ]
