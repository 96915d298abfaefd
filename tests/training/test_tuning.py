"""The choice between CTC and decoder, against trying everything by hand."""

import itertools

import numpy as np
import pytest

from glyphline.evaluation.scores import score_modes
from glyphline.models.hybrid import Pair
from glyphline.records import Reading, Sample
from glyphline.text import TextRules
from glyphline.training.tuning import SHARES, TRUSTS, tune_reading


class Canned:
    """A recogniser with fixed opinions."""

    modes, rules = ("ctc", "decoder"), TextRules()

    def __init__(self, pairs):
        self.pairs = pairs

    def read_pairs(self, images):
        return self.pairs


def sample(number, text):
    return Sample(str(number), np.zeros((8, 8), np.uint8), text, "ko", "", "validation", {})


def pair(fast, slow, confidence, by_ctc=(-1.0, -3.0), by_decoder=(-3.0, -1.0)):
    return Pair(Reading(fast, confidence, "ctc"), Reading(slow, 0.5, "decoder"), (by_ctc, by_decoder))


def test_a_better_decoder_is_asked_where_ctc_doubts():
    pairs = [pair("가나", "가다", 0.97), pair("라", "마", 0.999), pair("바사", "바사", 0.6)]
    samples = [sample(0, "가다"), sample(1, "라"), sample(2, "바사")]
    chosen = tune_reading(Canned(pairs), samples)
    assert chosen == {"decoder_share": 0.75, "trust": 0.98}


def test_a_worse_decoder_is_not_asked():
    pairs = [pair("가나", "가다", 0.5), pair("라", "마", 0.7)]
    chosen = tune_reading(Canned(pairs), [sample(0, "가나"), sample(1, "라")])
    assert chosen == {"decoder_share": 0.0, "trust": 0.9}


@pytest.mark.parametrize("seed", range(20))
def test_equals_trying_everything(seed):
    generator = np.random.default_rng(seed)
    words = ["가", "나", "다", "가나", "나다", "가다"]
    pairs, samples = [], []
    for number in range(8):
        scores = -generator.exponential(2, size=(2, 2))
        fast, slow, truth = generator.choice(words, 3)
        pairs.append(pair(fast, slow, float(generator.choice([0.5, 0.96, 0.9999])), tuple(scores[0]), tuple(scores[1])))
        samples.append(sample(number, truth))

    class Chosen(Canned):
        def __init__(self, pairs, trust, share):
            super().__init__(pairs)
            self.trust, self.share = trust, share

        def read_modes(self, images, modes):
            chosen = [p.fast if p.fast.confidence >= self.trust else p.choose(self.share) for p in self.pairs]
            return {"auto": chosen}

    def cer(trust, share):
        return score_modes(Chosen(pairs, trust, share), samples, ("auto",))["auto"].cer

    chosen = tune_reading(Canned(pairs), samples)
    least = min(cer(trust, share) for trust, share in itertools.product(TRUSTS, SHARES))
    assert cer(chosen["trust"], chosen["decoder_share"]) == pytest.approx(least)


def test_one_way_of_reading_leaves_nothing_to_choose():
    single = Canned([])
    single.modes = ("ctc",)
    assert tune_reading(single, [sample(0, "가")]) == {}
