"""Prefix beam search against brute force over all alignments."""

import itertools
import math

import numpy as np
import pytest
import torch

from glyphline.models import beam, ctc


def random_log_probs(frames: int, symbols: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(frames, symbols))
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def by_alignment(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return p(labels) of every label sequence, summed over every path."""
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        labels = tuple(ctc.collapse(path))
        totals[labels] = totals.get(labels, 0.0) + math.exp(sum(log_probs[t, s] for t, s in enumerate(path)))
    return totals


@pytest.mark.parametrize("seed", range(5))
def test_without_bounds_it_finds_every_text_with_its_probability(seed):
    log_probs = random_log_probs(5, 3, seed)
    totals = by_alignment(log_probs)
    found = beam.search(beam.sparse(log_probs, most=0), beam.Search(width=0))
    assert {text.labels for text in found} == set(totals)
    for text in found:
        assert math.exp(text.log_prob) == pytest.approx(totals[text.labels])
    assert found[0].labels == max(totals, key=totals.get)


@pytest.mark.parametrize("seed", range(5))
def test_with_language_and_bonus_the_score_is_their_sum(seed):
    log_probs = random_log_probs(4, 3, seed)
    generator = np.random.default_rng(seed)
    table: dict[tuple[int, ...], np.ndarray] = {}

    def language(text):
        if text not in table:
            table[text] = np.log(generator.dirichlet(np.ones(3)))
        return table[text]

    found = beam.search(beam.sparse(log_probs, most=0), beam.Search(0, language, 0.7, 0.3))
    totals = by_alignment(log_probs)
    assert {text.labels for text in found} == set(totals)
    for text in found:
        said = sum(language(text.labels[:i])[label] for i, label in enumerate(text.labels)) + language(text.labels)[0]
        expected = math.log(totals[text.labels]) + 0.7 * said + 0.3 * len(text.labels)
        assert text.score == pytest.approx(expected)
    assert [text.score for text in found] == sorted((text.score for text in found), reverse=True)


def test_it_finds_the_best_text_where_the_best_path_misleads():
    """Blank is the likeliest path (0.36), but most alignments read 1 (0.24 + 0.24 + 0.16)."""
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert ctc.greedy(log_probs)[0] == []
    labels, confidence = beam.best(beam.sparse(log_probs), beam.Search(4))
    assert labels == (1,)
    assert confidence == pytest.approx(0.64)


def test_equal_neighbours_need_a_blank_between():
    sure = np.log(np.full((3, 2), 1e-9))
    sure[0, 1] = sure[2, 1] = 0.0
    sure[1, 0] = 0.0
    assert beam.best(beam.sparse(sure), beam.Search(4))[0] == (1, 1)
    sure[1] = sure[0]
    assert beam.best(beam.sparse(sure), beam.Search(4))[0] == (1,)


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_agrees_with_torch(seed):
    log_probs = random_log_probs(7, 4, seed)
    text = beam.search(beam.sparse(log_probs, most=0), beam.Search(width=0))[0]
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(log_probs)[:, None], torch.tensor([text.labels]), torch.tensor([7]),
        torch.tensor([len(text.labels)]), reduction="sum",
    )  # fmt: skip
    assert text.log_prob == pytest.approx(-float(loss))


def test_pruning_keeps_the_likeliest_symbols_and_the_blank():
    log_probs = np.log([[0.00001, 0.5, 0.3, 0.19999], [0.9998, 0.0001, 0.00005, 0.00005]])
    first, second = beam.sparse(log_probs, most=2, least=1e-4)
    assert set(first) == {0, 1, 2}
    assert set(second) <= {0, 1}
    assert first[1] == pytest.approx(math.log(0.5))


def test_pruning_changes_little_on_frames_that_are_sure():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(40, 30)) * 2
    logits[np.arange(40), generator.integers(0, 30, 40) * (generator.random(40) < 0.4)] += 9
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    pruned = beam.search(beam.sparse(log_probs), beam.Search(8))[0]
    wide = beam.search(beam.sparse(log_probs, most=0), beam.Search(200))[0]
    assert pruned.labels == wide.labels
    assert pruned.log_prob == pytest.approx(wide.log_prob, abs=0.2)


def test_a_language_that_prefers_a_word_makes_the_beam_prefer_it():
    log_probs = np.log([[0.02, 0.96, 0.01, 0.01], [0.02, 0.02, 0.5, 0.46], [0.97, 0.01, 0.01, 0.01]])

    def language(text):
        return np.log([0.1, 0.1, 0.1, 0.7] if text == (1,) else [0.25] * 4)

    frames = beam.sparse(log_probs)
    assert beam.best(frames, beam.Search(4))[0] == (1, 2)
    assert beam.best(frames, beam.Search(4, language, 0.5))[0] == (1, 3)
    assert beam.best(frames, beam.Search(4, language, 0.0))[0] == (1, 2)


def test_no_frames_no_text():
    assert beam.best([], beam.Search())[0] == ()
