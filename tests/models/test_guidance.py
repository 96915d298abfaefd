"""CTC's alignment by brute force over all paths, and the loss of attention by hand."""

import itertools

import numpy as np
import pytest
import torch

from glyphline.models import ctc
from glyphline.models.guidance import attention_loss, best_alignment, middles


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 1, 2], [2, 2, 1]])
def test_alignment_is_the_likeliest_of_all_paths(labels):
    log_probs = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(len(labels))).log_softmax(-1)
    padded = torch.tensor([[*labels, -100]])
    states = best_alignment(log_probs, padded)[0].tolist()
    symbols = [0 if state % 2 == 0 else labels[state // 2] for state in states]
    scores = {
        path: sum(float(log_probs[0, t, s]) for t, s in enumerate(path))
        for path in itertools.product(range(3), repeat=6)
        if ctc.collapse(path) == labels
    }
    assert tuple(symbols) == max(scores, key=scores.get)
    assert all(0 <= b - a <= 2 for a, b in itertools.pairwise(states))


def test_a_batch_aligns_as_its_lines_do():
    log_probs = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    labels = torch.tensor([[1, 2, 3], [3, -100, -100], [2, 2, -100]])
    together = best_alignment(log_probs, labels)
    for i, row in enumerate(labels):
        alone = best_alignment(log_probs[i : i + 1], row[row >= 0][None])
        assert torch.equal(together[i], alone[0])


def test_middles_by_hand():
    found = middles(torch.tensor([[0, 1, 1, 2, 3, 4]]), 3)[0]
    assert found[:2].tolist() == [1.5, 4.0]
    assert np.isnan(float(found[2]))


def test_loss_is_small_where_attention_is_right_and_ignores_untold_lines():
    log_probs = torch.full((1, 8, 3), -9.0)
    for frame, symbol in enumerate([0, 1, 0, 0, 0, 0, 2, 0]):
        log_probs[0, frame, symbol] = 0.0
    labels, tokens = torch.tensor([[1, 2]]), torch.tensor([[7, 8, 9]])
    right = torch.zeros(1, 2, 3, 16)  # two heads, two rows of eight columns, the end token last
    right[0, :, 0, 1], right[0, :, 1, 8 + 6], right[0, :, 2, 7] = 1.0, 1.0, 1.0
    wrong = right.flip(-1)
    assert float(attention_loss([right, right], log_probs, labels, tokens, 2)) == pytest.approx(0.0, abs=1e-5)
    assert float(attention_loss([wrong], log_probs, labels, tokens, 2)) > 5
    half = 0.5 * right + 0.5 * wrong
    assert float(attention_loss([half], log_probs, labels, tokens, 2)) == pytest.approx(2 * np.log(2), rel=1e-4)
    assert float(attention_loss([wrong], log_probs, labels, torch.tensor([[7, 9, -100]]), 2)) == 0.0


def test_frames_of_a_column_are_one_place():
    log_probs = torch.full((1, 8, 3), -9.0)
    for frame, symbol in enumerate([0, 1, 0, 0, 0, 0, 2, 0]):
        log_probs[0, frame, symbol] = 0.0
    right = torch.zeros(1, 1, 3, 4)
    right[0, 0, 0, 0], right[0, 0, 1, 3] = 1.0, 1.0
    loss = attention_loss([right], log_probs, torch.tensor([[1, 2]]), torch.tensor([[7, 8, 9]]))
    assert float(loss) == pytest.approx(0.0, abs=1e-5)
