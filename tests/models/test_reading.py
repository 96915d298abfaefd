"""Reading with a language in mind, the same for all families that have a CTC head."""

import numpy as np
import pytest
from tiny import TEXTS, noise_pictures, tiny_recogniser

from glyphline.models import beam, ctc, load_recogniser
from glyphline.models.reading import ReadingSettings
from glyphline.settings import InputError

PICTURES = noise_pictures((50, 90, 140, 33, 300))


@pytest.fixture(scope="module")
def listening():
    model = tiny_recogniser(language_order=3, language_weight=0.6, length_bonus=0.5)
    model.learn_language(TEXTS * 5)
    return model


def test_without_a_language_there_is_no_search():
    assert tiny_recogniser().modes == ("ctc", "decoder")
    assert tiny_recogniser(ctc=False).modes == ("decoder",)


def test_a_language_is_one_more_way_of_reading(listening):
    assert listening.modes == ("ctc", "beam", "decoder")
    assert [r.text for r in listening.read(PICTURES, "beam")] != [r.text for r in listening.read(PICTURES, "ctc")]


def test_a_wider_search_finds_no_less_likely_text(listening):
    """By the very measure that CTC's text and the decoder's are compared by."""
    for frames in listening._each(PICTURES[:4], 8, listening.frames):
        found = []
        for width in (1, 4, 32):
            how = beam.Search(width, listening.language, 0.6, 0.5)
            best = beam.search(beam.sparse(frames, most=0), how)[0]
            text = "".join(listening.card.charset[label - 1] for label in best.labels)
            found.append(listening.likelihood(frames, text))
            assert best.log_prob <= ctc.log_likelihood(frames, best.labels) + 1e-4
        assert found[2] >= found[0] - 1e-6


def test_auto_searches_where_in_doubt_and_asks_the_decoder_only_for_a_share(listening, monkeypatch):
    asked = []
    read_decoder = listening._read_decoder
    monkeypatch.setattr(listening, "_read_decoder", lambda states: asked.append(len(states)) or read_decoder(states))
    listening.retune({"trust": 1.0, "decoder_share": 0.0})
    assert listening.read(PICTURES[:4]) == listening.read(PICTURES[:4], "beam") and not asked
    listening.retune({"trust": 0.0})
    assert listening.read(PICTURES[:4]) == listening.read(PICTURES[:4], "ctc") and not asked
    listening.retune({"trust": 1.0, "decoder_share": 1.0})
    assert [r.text for r in listening.read(PICTURES[:4])] and sum(asked) == 4
    one = listening.read_opinions(PICTURES[:1])[0]
    assert one.choose(0.0) == one.fast and one.fast.mode == "beam" and one.path.mode == "ctc"


def test_the_decoder_reads_once_where_two_ways_of_reading_want_it(listening, monkeypatch):
    asked = []
    read_decoder = listening._read_decoder
    listening.retune({"trust": 1.0, "decoder_share": 0.5})
    alone = listening.read(PICTURES[:4])
    monkeypatch.setattr(listening, "_read_decoder", lambda states: asked.append(len(states)) or read_decoder(states))
    both = listening.read_modes(PICTURES[:4], ("auto", "decoder", "ctc"))
    assert sum(asked) == 4 and both["auto"] == alone


def test_saved_and_grown_it_goes_on_listening(listening, tmp_path):
    model = tiny_recogniser(language_order=3)
    model.learn_language(TEXTS)
    model.save_pretrained(tmp_path)
    again = load_recogniser(str(tmp_path), "cpu")
    for mode in ("auto", *model.modes):
        assert again.read(PICTURES, mode) == model.read(PICTURES, mode)
    again.grow("한글")
    assert again.language((1,)).shape == (len(again.card.charset) + 1,)
    assert len(again.read(PICTURES, "beam")) == len(PICTURES)


def test_no_more_texts_and_sequences_than_asked_for():
    model = tiny_recogniser(language_texts=4, language_entries=40)
    model.learn_language([f"{'가나'[i % 2]}{i}" for i in range(100)])
    assert model.language.counts[0].sum() <= 4 * 4  # three characters at most, and the end
    assert sum(map(len, model.language.keys[2:])) <= 40


@pytest.mark.parametrize("wrong", [{"beam_width": 0}, {"language_order": -1}, {"trust": 1.5}, {"language_texts": 0}])
def test_settings_that_cannot_be_are_errors(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        ReadingSettings(**wrong)


def test_a_blank_frame_changes_no_order():
    generator = np.random.default_rng(3)
    frames = [{s: float(p) for s, p in enumerate(np.log(generator.dirichlet(np.ones(4))))} for _ in range(5)]
    plain = beam.search(frames, beam.Search(6))
    blank = beam.search([*frames[:2], {0: -1e-9}, *frames[2:]], beam.Search(0))
    by_hand = beam.search([*frames[:2], {0: -1e-9, 1: -1e9}, *frames[2:]], beam.Search(0))
    assert {f.labels: pytest.approx(f.log_prob) for f in blank} == {
        f.labels: f.log_prob for f in by_hand if f.log_prob > -1e8
    }
    assert plain
