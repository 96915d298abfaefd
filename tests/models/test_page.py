"""The page family: its decoder with and without a cache, its searches, its canvas, and what it is saved as."""

import math

import numpy as np
import pytest
import torch

from glyphline.models import ctc, load_recogniser, search
from glyphline.models.canvas import Canvas, Preprocessor
from glyphline.models.card import Card
from glyphline.models.decoder import Cache, Sizes, TextDecoder
from glyphline.models.families import page
from glyphline.models.tokenizer import TokenizerSettings, train_tokenizer
from glyphline.settings import InputError
from glyphline.text import charset

TEXTS = ["ab cd\nef", "안녕 세계\nbead\ncab", "face"]
SIZES = {"encoder": "light", "size": 16, "layers": 2, "heads": 2, "inner": 32, "dropout": 0.0}


def tiny_page(seed=0, canvas=None, **options):
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(TEXTS, TokenizerSettings("char"))
    card = Card("page", canvas or Canvas("page", 96, 128, 16, 16), 30, charset(TEXTS))
    model = page.build(page.Settings(**SIZES | options), card, tokenizer).eval()
    for parameter in model.parameters():  # spread the weights, so that readings differ from page to page
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def pages(*sizes, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 256, size, dtype=np.uint8) for size in sizes]


@pytest.mark.parametrize("options", [{}, {"line_numbers": False}, {"ctc": False}, {"hints": False}], ids=str)
def test_step_by_step_logits_are_those_of_teacher_forcing(options):
    model = tiny_page(**options)
    ids = model.prepare_decoder_input_ids_from_labels(model.labels(TEXTS)["labels"])
    with torch.no_grad():
        memory = model.memory(model.encode(torch.rand(3, 1, 48, 64)))
        at_once = model.decoder(ids, model.decoder.begin(memory))
        cache = model.decoder.begin(memory)
        stepwise = torch.cat([model.decoder(ids[:, t : t + 1], cache) for t in range(ids.shape[1])], 1)
    assert at_once.std() > 0.1
    torch.testing.assert_close(stepwise, at_once, atol=1e-4, rtol=1e-4)


def test_lines_and_columns_are_counted_from_the_breaks():
    decoder = TextDecoder(Sizes(5, 8, 1, 2, 16, break_id=4))
    lines, columns = decoder._lines_and_columns(torch.tensor([[0, 1, 4, 2, 2, 4, 4, 1]]), _fresh(1))
    assert lines.tolist() == [[0, 0, 1, 1, 1, 2, 3, 3]]
    assert columns.tolist() == [[0, 1, 0, 1, 2, 0, 0, 1]]


def _fresh(rows):
    return Cache(breaks=torch.zeros(rows, dtype=torch.long), since=torch.zeros(rows, dtype=torch.long))


class Automaton:
    """A language model over the last token alone: 0 starts, 3 ends."""

    table = torch.tensor(
        [
            [0.0, 0.6, 0.4, 0.0],  # 1 is likelier than 2
            [0.0, 0.4, 0.3, 0.3],  # but leads nowhere
            [0.0, 0.0, 0.1, 0.9],  # while 2 ends for sure
            [0.0, 0.0, 0.0, 1.0],
        ]
    ).log()

    def __call__(self, ids, cache):
        return self.table[ids]


def test_a_beam_finds_what_greedy_passes_by():
    limits = search.Limits(0, 3, 6)
    assert search.greedy(Automaton(), _fresh(1), limits)[0].ids == [1] * 6
    for found in search.beam(Automaton(), _fresh(2), limits, 2):
        assert found.ids == [2]
        assert found.mean == pytest.approx((math.log(0.4) + math.log(0.9)) / 2)


def test_a_beam_of_one_is_greedy():
    model = tiny_page()
    with torch.no_grad():
        memory = model.memory(model.encode(torch.rand(3, 1, 48, 64)))
        limits = search.Limits(model.config.bos_token_id, model.config.eos_token_id, 12)
        one = search.beam(model.decoder, model.decoder.begin(memory), limits, 1)
        other = search.greedy(model.decoder, model.decoder.begin(memory), limits)
    for beam, greedy in zip(one, other, strict=True):
        assert greedy.ids[: len(beam.ids)] == beam.ids  # a beam may stop at an end that greedy did not take


def test_an_empty_reading_is_empty():
    class Silent:
        def __call__(self, ids, cache):
            logits = torch.zeros(ids.shape[0], 1, 4)
            logits[..., 3] = 9.0
            return logits

    assert search.greedy(Silent(), _fresh(2), search.Limits(0, 3, 10))[0].ids == []
    assert search.beam(Silent(), _fresh(2), search.Limits(0, 3, 10), 3)[1].ids == []


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        ([1] * 30, None),
        ([1] * 40, 1),
        ([5, 6, *[1, 2, 3] * 14], 5),
        ([*range(15)] * 3, 15),
        ([*range(15)] * 2, None),
        (list(range(60)), None),
    ],
)
def test_a_loop_is_cut_to_one_turn(ids, kept):
    assert search.loop_start(ids) == kept


def test_a_decoder_in_a_loop_ends():
    class Stuck:
        steps = 0

        def __call__(self, ids, cache):
            self.steps += 1
            logits = torch.zeros(ids.shape[0], 1, 4)
            logits[..., 1] = 9.0
            return logits

    stuck = Stuck()
    assert search.greedy(stuck, _fresh(1), search.Limits(0, 3, 500))[0].ids == [1]
    assert stuck.steps <= search.LOOP + 8


def test_a_page_reads_the_same_alone_and_in_company():
    model = tiny_page()
    images = pages((40, 60), (90, 120), (33, 50), (20, 128), (96, 128))
    together = model.read(images, batch_size=4)
    alone = [model.read([image])[0] for image in images]
    assert [r.text for r in together] == [r.text for r in alone]
    assert len({r.text for r in alone}) > 1


def test_training_and_reading_see_the_same_pixels():
    from glyphline.training.data import Collator

    model = tiny_page()
    images = pages((40, 60), (48, 64))
    batch = Collator(model.preprocessor, model.labels)([(image, "ab\ncd") for image in images])
    seen = []
    model.encode, encode = lambda pixels: seen.append(pixels) or encode(pixels), model.encode
    model.read(images)
    torch.testing.assert_close(batch["pixel_values"], seen[0])


def test_a_page_is_scaled_down_but_never_up():
    preprocessor = Preprocessor(Canvas("page", 96, 128, 16, 16))
    assert preprocessor.fitted_size(20, 40) == (20, 40)
    assert preprocessor.fitted_size(192, 128) == (96, 64)
    assert preprocessor.fitted_size(100, 256) == (50, 128)
    batch = preprocessor.stack([np.zeros((20, 40), np.uint8), np.zeros((30, 10), np.uint8)])
    assert batch.shape == (2, 1, 32, 48)
    assert (batch[0, 0, 20:] == 255).all() and (batch[0, 0, :, 40:] == 255).all()


def test_ctc_reads_row_after_row():
    model = tiny_page(frames_per_column=2)
    states = torch.rand(1, 2, 3, 16)
    log_probs = model.ctc_log_probs(states)
    with torch.no_grad():
        cell = model.ctc_head(states[0, 1, 2]).view(2, -1).log_softmax(-1)
    torch.testing.assert_close(log_probs[0, 10:], cell)
    assert log_probs.shape == (1, 2 * 3 * 2, len(model.card.charset) + 1)


def test_loss_is_the_weighted_sum_by_definition():
    model = tiny_page(ctc_weight=0.25)
    batch = {"pixel_values": torch.rand(3, 1, 48, 64), **model.labels(TEXTS)}
    loss = float(model(**batch, num_items_in_batch=10).loss)
    states = model.encode(batch["pixel_values"])
    log_probs = model.ctc_log_probs(states).detach().numpy()
    by_ctc = -sum(ctc.log_likelihood(log_probs[i], model.labels.characters(t)) for i, t in enumerate(TEXTS))
    by_decoder = -sum(_log_probability(model, states[i : i + 1], text) for i, text in enumerate(TEXTS))
    assert loss == pytest.approx((0.25 * by_ctc + 0.75 * by_decoder) / 10, rel=1e-4)


def _log_probability(model, states, text):
    ids = torch.tensor([[model.config.bos_token_id, *model.labels.tokens([text])[0]]])
    log_probs = model._decode(states, ids[:, :-1]).log_softmax(-1)
    return float(log_probs[0].gather(1, ids[0, 1:, None]).sum())


def test_with_all_weight_on_ctc_the_decoder_rests():
    model = tiny_page(ctc_weight=1.0).train()
    model(pixel_values=torch.rand(3, 1, 48, 64), **model.labels(TEXTS)).loss.backward()
    assert all(p.grad is None for p in model.decoder.parameters())
    assert model.modes == ("ctc",)
    model.retune({"ctc_weight": 0.5})
    assert model.modes == ("ctc", "decoder") and all(p.requires_grad for p in model.decoder.parameters())


@pytest.mark.parametrize("encoder", ["light", "resnet18", "resnet34", "resnet50"])
@pytest.mark.parametrize(("row_px", "column_px"), [(32, 32), (16, 8)])
def test_cells_have_the_size_that_is_asked_for(encoder, row_px, column_px):
    model = tiny_page(encoder=encoder, row_px=row_px, column_px=column_px, canvas=Canvas("page", 64, 96, 32, 32))
    with torch.no_grad():
        assert model.encode(torch.rand(1, 1, 64, 96)).shape[1:] == (64 // row_px, 96 // column_px, 16)


def test_saved_and_loaded_it_reads_the_same(tmp_path):
    model = tiny_page(beams=2)
    images = pages((40, 60), (90, 120))
    model.save_pretrained(tmp_path)
    again = load_recogniser(str(tmp_path), "cpu")
    assert again.rules.collapse_space == "lines"
    for mode in ("ctc", "decoder", "auto"):
        assert model.read(images, mode) == again.read(images, mode)


def test_readings_keep_line_breaks_and_tidy_lines():
    model = tiny_page()
    frames = np.full((9, len(model.card.charset) + 1), -9.0)
    for place, character in enumerate("a \n\n b"):
        frames[place + (place > 2), model.card.charset.index(character) + 1] = 0.0
    frames[3, 0] = frames[7, 0] = frames[8, 0] = 0.0
    assert model.read_path(frames).text == "a\nb"


def test_new_characters_get_rows_and_old_ones_stay():
    model = tiny_page(frames_per_column=2)
    pixels = torch.rand(2, 1, 48, 64)
    with torch.no_grad():
        before = model.ctc_log_probs(model.encode(pixels))
        old = before.shape[-1]
        model.grow("xyz")
        after = model.ctc_head(model.encode(pixels)).unflatten(-1, (2, -1)).flatten(1, 3)
    assert model.lacks("xyzab") == ""
    torch.testing.assert_close(after[..., :old].log_softmax(-1), before)
    assert torch.isfinite(model(pixel_values=pixels, **model.labels(["xy\na", "z"])).loss)


def test_guidance_teaches_the_decoder_where_ctc_reads():
    model = tiny_page(guidance=0.4, frames_per_column=2).train()
    batch = {"pixel_values": torch.rand(3, 1, 48, 64), **model.labels(TEXTS)}
    guided = model(**batch).loss
    parts = model.branch_losses
    assert float(guided) == pytest.approx(float(sum(parts[k] * w for k, w in WEIGHTS.items())), rel=1e-5)
    guided.backward()
    assert model.decoder.layers[0].cross_attention.q_proj.weight.grad.abs().sum() > 0
    model.retune({"guidance": 0.0})
    assert float(model(**batch).loss) == pytest.approx(float(guided - 0.4 * parts["attention"]), rel=1e-4)
    assert set(model.branch_losses) == {"decoder", "ctc"}


WEIGHTS = {"decoder": 0.5, "ctc": 0.5, "attention": 0.4}


def test_looking_gives_the_same_logits_as_not_looking():
    model = tiny_page()
    ids = model.prepare_decoder_input_ids_from_labels(model.labels(TEXTS)["labels"])
    states = model.encode(torch.rand(3, 1, 48, 64))
    torch.testing.assert_close(model._decode(states, ids, []), model._decode(states, ids))


def test_attention_is_a_distribution_over_the_page():
    model = tiny_page()
    states = model.encode(torch.rand(1, 1, 48, 64))
    weights = model.decoder.attention(torch.tensor([[1, 5, 6]]), model.memory(states))
    assert weights.shape == (2, 1, 2, 3, states.shape[1] * states.shape[2])
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 1, 2, 3))


@pytest.mark.parametrize(
    ("canvas", "said"),
    [(Canvas("line", 32, 64), "mode: page"), (Canvas("page", 96, 100, 16, 16), "width"),
     (Canvas("page", 96, 96, 16, 8), "height_step")],
)  # fmt: skip
def test_a_canvas_that_does_not_fit_is_refused(canvas, said):
    with pytest.raises(InputError, match=said):
        page.check_canvas(page.Settings(), canvas)


@pytest.mark.parametrize("options", [{"size": 90}, {"row_px": 12}, {"trust": 2.0}, {"beams": 0}])
def test_settings_that_cannot_be_are_refused(options):
    with pytest.raises(InputError):
        page.Settings(**options)


def test_the_limit_comes_from_the_data():
    tokenizer = train_tokenizer(TEXTS, TokenizerSettings("char"))
    assert page.longest_text(tokenizer, TEXTS) >= len("안녕 세계\nbead\ncab") + 1
