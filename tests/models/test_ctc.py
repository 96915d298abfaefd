"""CTC against brute force over all alignments, and against torch."""

import itertools

import numpy as np
import pytest
import torch

from glyphline.models import ctc


def random_log_probs(frames: int, symbols: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(frames, symbols))
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def by_alignment(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return p(labels) of every label sequence, summed over every path."""
    frames, symbols = log_probs.shape
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(symbols), repeat=frames):
        labels = tuple(ctc.collapse(path))
        totals[labels] = totals.get(labels, 0.0) + float(np.exp(sum(log_probs[t, s] for t, s in enumerate(path))))
    return totals


@pytest.mark.parametrize(("path", "labels"), [
    ([], []), ([0, 0], []), ([1, 1, 1], [1]), ([1, 0, 1], [1, 1]), ([0, 2, 2, 0, 0, 1], [2, 1]), ([3, 2, 3], [3, 2, 3]),
])  # fmt: skip
def test_collapse_by_hand(path, labels):
    assert ctc.collapse(path) == labels


@pytest.mark.parametrize("seed", range(3))
def test_log_likelihood_equals_the_sum_over_all_alignments(seed):
    log_probs = random_log_probs(5, 3, seed)
    totals = by_alignment(log_probs)
    assert sum(totals.values()) == pytest.approx(1.0)
    for labels, probability in totals.items():
        assert ctc.log_likelihood(log_probs, labels) == pytest.approx(np.log(probability))


def test_log_likelihood_equals_torch():
    log_probs = random_log_probs(12, 6, 7)
    labels = [2, 2, 5, 1]
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(log_probs)[:, None], torch.tensor([labels]), torch.tensor([12]), torch.tensor([4]),
        reduction="sum",
    )  # fmt: skip
    assert ctc.log_likelihood(log_probs, labels) == pytest.approx(-float(loss))


def test_impossible_labels_have_no_likelihood():
    assert ctc.log_likelihood(random_log_probs(2, 3, 0), [1, 1]) == -np.inf
    assert ctc.log_likelihood(random_log_probs(3, 3, 0), [1, 1]) > -np.inf


@pytest.mark.parametrize("labels", [(), (1,), (1, 1), (1, 2, 1), (1, 1, 1), (2, 2, 1)])
def test_frames_needed_is_the_shortest_path_there_is(labels):
    shortest = next(
        frames
        for frames in range(10)
        if any(tuple(ctc.collapse(path)) == labels for path in itertools.product(range(3), repeat=frames))
    )
    assert ctc.frames_needed(labels) == shortest


def test_greedy_takes_the_best_path_and_its_confidence_is_of_the_labels():
    sure, unsure = np.log([0.05, 0.9, 0.05]), np.log([0.2, 0.2, 0.6])
    blank = np.log([0.98, 0.01, 0.01])
    labels, confidence = ctc.greedy(np.stack([blank, sure, sure, blank, unsure]))
    assert labels == [1, 2]
    assert confidence == pytest.approx(np.sqrt(0.9 * 0.6))
    assert ctc.greedy(np.stack([blank, blank])) == ([], pytest.approx(0.98))
