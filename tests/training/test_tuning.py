"""The choice between CTC and decoder, against trying everything by hand."""

import itertools

import numpy as np
import pytest

from glyphline.evaluation.scores import score_modes
from glyphline.models.reading import Opinions
from glyphline.records import Reading, Sample
from glyphline.text import TextRules
from glyphline.training.tuning import SHARES, TRUSTS, tune_reading


class Canned:
    """A recogniser with fixed opinions."""

    modes, rules = ("ctc", "decoder"), TextRules()

    def __init__(self, opinions):
        self.opinions, self.set = opinions, {}

    def read_opinions(self, images):
        return self.opinions

    def retune(self, options):
        self.set |= options


def sample(number, text):
    return Sample(str(number), np.zeros((8, 8), np.uint8), text, "ko", "", "validation", {})


def opinions_of(fast, slow, confidence, by_ctc=(-1.0, -3.0), by_decoder=(-3.0, -1.0), path=None):
    best, searched = Reading(path or fast, confidence, "ctc"), Reading(fast, confidence, "beam")
    return Opinions(best, searched, Reading(slow, 0.5, "decoder"), (by_ctc, by_decoder))


def test_a_better_decoder_is_asked_where_ctc_doubts():
    opinions = [opinions_of("가나", "가다", 0.97), opinions_of("라", "마", 0.999), opinions_of("바사", "바사", 0.6)]
    samples = [sample(0, "가다"), sample(1, "라"), sample(2, "바사")]
    chosen = tune_reading(Canned(opinions), samples)
    assert chosen == {"decoder_share": 0.75, "trust": 0.98}


def test_a_worse_decoder_is_not_asked():
    opinions = [opinions_of("가나", "가다", 0.5), opinions_of("라", "마", 0.7)]
    chosen = tune_reading(Canned(opinions), [sample(0, "가나"), sample(1, "라")])
    assert chosen == {"decoder_share": 0.0, "trust": 0.0}


@pytest.mark.parametrize("seed", range(20))
def test_equals_trying_everything(seed):
    generator = np.random.default_rng(seed)
    words = ["가", "나", "다", "가나", "나다", "가다"]
    opinions, samples = [], []
    for number in range(8):
        scores = -generator.exponential(2, size=(2, 2))
        fast, slow, truth, path = generator.choice(words, 4)
        sure = float(generator.choice([0.5, 0.96, 0.9999]))
        opinions.append(opinions_of(fast, slow, sure, tuple(scores[0]), tuple(scores[1]), path))
        samples.append(sample(number, truth))

    class Chosen(Canned):
        def __init__(self, opinions, trust, share):
            super().__init__(opinions)
            self.trust, self.share = trust, share

        def read_modes(self, images, modes):
            chosen = [o.path if o.path.confidence >= self.trust else o.choose(self.share) for o in self.opinions]
            return {"auto": chosen}

    def cer(trust, share):
        return score_modes(Chosen(opinions, trust, share), samples, ("auto",))["auto"].cer

    chosen = tune_reading(Canned(opinions), samples)
    asked = min(cer(trust, share) for trust, share in itertools.product(TRUSTS, SHARES))
    alone = min(cer(trust, 0.0) for trust in TRUSTS)
    assert cer(chosen["trust"], chosen["decoder_share"]) == pytest.approx(asked if asked < 0.95 * alone else alone)


class Listening(Canned):
    """Beam search that reads right by one weight and one bonus."""

    modes = ("ctc", "beam")

    def read_drafts(self, images):
        return [[{0: -0.1}]] * len(images)

    def read_beam(self, frames, weight, bonus):
        wrong = 2 * (weight != 0.3) + (bonus != 4 * weight)
        return Reading("가나다라"[: 4 - wrong], 0.9, "beam")


def test_the_language_gets_the_weight_that_serves():
    listening = Listening([Opinions(Reading("가나", 0.97, "ctc"), Reading("가나다라", 0.9, "beam"))])
    chosen = tune_reading(listening, [sample(0, "가나다라")])
    assert chosen == {"language_weight": 0.3, "length_bonus": 1.2, "trust": 0.98}
    assert listening.set == chosen


def test_one_way_of_reading_leaves_nothing_to_choose():
    single = Canned([])
    single.modes = ("ctc",)
    assert tune_reading(single, [sample(0, "가")]) == {}
