"""CTC: from frame-wise probabilities to text, as pure functions (Graves et al., ICML 2006)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BLANK = 0


def collapse(path: Sequence[int]) -> list[int]:
    """Return the labels of an alignment: repeats merged, then blanks removed."""
    labels, previous = [], BLANK
    for symbol in path:
        if symbol != previous and symbol != BLANK:
            labels.append(int(symbol))
        previous = symbol
    return labels


def greedy(log_probs: np.ndarray) -> tuple[list[int], float]:
    """Read `(T, V)` log-probabilities along the best path; return its labels and a confidence.

    The confidence is the geometric mean of the best path's probabilities over the frames that carry a label
    (their best one), over all frames where there is none.
    """
    path = log_probs.argmax(-1)
    best = log_probs.max(-1)
    peaks: list[float] = []
    previous = BLANK
    for symbol, value in zip(path, best, strict=True):
        if symbol == BLANK:
            previous = BLANK
            continue
        if symbol == previous:
            peaks[-1] = max(peaks[-1], float(value))
        else:
            peaks.append(float(value))
        previous = symbol
    mean = float(np.mean(peaks)) if peaks else float(best.mean()) if len(best) else 0.0
    return collapse(path), float(np.exp(min(mean, 0.0)))


def frames_needed(labels: Sequence[int]) -> int:
    """Return the least number of frames that can carry `labels`: one each, and a blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:], strict=False))


def log_likelihood(log_probs: np.ndarray, labels: Sequence[int]) -> float:
    """Return log p(labels | frames), summed over all alignments (forward algorithm), of `(T, V)` log-probabilities."""
    states = [BLANK]
    for label in labels:
        states += [label, BLANK]
    emitted = log_probs[:, states].astype(np.float64)
    alpha = np.full(len(states), -np.inf)
    alpha[: min(2, len(states))] = emitted[0, :2]
    skip = np.array([i >= 2 and s not in (BLANK, states[i - 2]) for i, s in enumerate(states)])
    for row in emitted[1:]:
        step = np.concatenate(([-np.inf], alpha[:-1]))
        jump = np.where(skip, np.concatenate(([-np.inf, -np.inf], alpha[:-2]))[: len(states)], -np.inf)
        alpha = np.logaddexp(np.logaddexp(alpha, step), jump) + row
    return float(np.logaddexp.reduce(alpha[-2:]))
