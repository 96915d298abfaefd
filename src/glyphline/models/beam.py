"""Prefix beam search over CTC frames, with a character language model if there is one.

A prefix is a text; all alignments that collapse to it are one hypothesis, with the probability that its last frame is a
blank kept apart from the probability that it is its last symbol (Graves and Jaitly, ICML 2014; Hannun et al. 2014).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glyphline.models.ctc import BLANK

NOTHING = -math.inf
Frames = list[dict[int, float]]
"""Frame by frame, the log-probabilities of the symbols worth a thought; the blank is always among them."""
Language = Callable[[tuple[int, ...]], np.ndarray]
"""Log-probabilities of all symbols `(V,)` after a text; those of symbol 0 are of its end."""


@dataclass(frozen=True, slots=True)
class Search:
    """How wide a search is, and what it listens to. A width of 0 is without bounds: an exact search."""

    width: int = 8
    """Prefixes kept after every frame."""
    language: Language | None = None
    weight: float = 0.0
    """Weight of the language model's log-probabilities beside those of CTC."""
    bonus: float = 0.0
    """Added for every symbol, since a language model likes short texts."""


@dataclass(frozen=True, slots=True)
class Found:
    """A text, the log-probability that CTC gives it, and its score with language and bonus."""

    labels: tuple[int, ...]
    log_prob: float
    score: float


def sparse(log_probs: np.ndarray, most: int = 8, least: float = 1e-4) -> Frames:
    """Return of `(T, V)` log-probabilities, frame by frame, the `most` likeliest symbols of at least `least`.

    The blank always stays. With `most` 0 all symbols do.
    """
    if not most:
        return [dict(enumerate(row)) for row in log_probs.tolist()]
    frames: Frames = [{BLANK: blank} for blank in log_probs[:, BLANK].tolist()]
    rows, symbols = np.nonzero(log_probs >= math.log(least))
    for row, symbol, value in zip(rows.tolist(), symbols.tolist(), log_probs[rows, symbols].tolist(), strict=True):
        frames[row][symbol] = value
    for row, frame in enumerate(frames):
        if len(frame) > most + 1:
            kept = heapq.nlargest(most, frame, key=frame.__getitem__)
            frames[row] = {symbol: frame[symbol] for symbol in {BLANK, *kept}}
    return frames


def search(frames: Frames, how: Search) -> list[Found]:
    """Return the texts that the last beam holds, best first."""
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, NOTHING)}
    prior = {(): 0.0}
    for frame in frames:
        if len(frame) == 1:  # nothing but the blank: every prefix stays, in the same order
            beam = {prefix: (_add(*parts) + frame[BLANK], NOTHING) for prefix, parts in beam.items()}
            continue
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (blank, symbol) in beam.items():
            _extend(grown, prefix, (blank, symbol), frame)
        _weigh(prior, grown, how)
        if how.width and len(grown) > how.width:
            chosen = heapq.nlargest(how.width, grown, key=lambda p: _add(*grown[p]) + prior[p])
        else:
            chosen = list(grown)
        beam = {prefix: (grown[prefix][0], grown[prefix][1]) for prefix in chosen}
        prior = {prefix: prior[prefix] for prefix in chosen}
    found = []
    for prefix, parts in beam.items():
        score = log_prob = _add(*parts)
        score += prior[prefix]
        if how.language is not None and how.weight:
            score += how.weight * float(how.language(prefix)[0])
        found.append(Found(prefix, log_prob, score))
    return sorted(found, key=lambda text: (-text.score, text.labels))


def _extend(
    grown: dict[tuple[int, ...], list[float]], prefix: tuple[int, ...], parts: tuple[float, float], frame: dict
) -> None:
    """Add what one prefix becomes by one frame: itself by a blank or its last symbol again, or longer by a symbol."""
    blank, symbol = parts
    whole, last = _add(blank, symbol), prefix[-1] if prefix else BLANK
    same = grown.setdefault(prefix, [NOTHING, NOTHING])
    same[0] = _add(same[0], whole + frame[BLANK])
    if last != BLANK and last in frame:
        same[1] = _add(same[1], symbol + frame[last])
    for following, value in frame.items():
        if following == BLANK:
            continue
        arriving = (blank if following == last else whole) + value  # an equal neighbour needs a blank between
        if arriving == NOTHING:
            continue
        longer = grown.setdefault((*prefix, following), [NOTHING, NOTHING])
        longer[1] = _add(longer[1], arriving)


def _weigh(prior: dict[tuple[int, ...], float], grown: dict[tuple[int, ...], list[float]], how: Search) -> None:
    """Give every new prefix what language and bonus say of it."""
    for prefix in grown:
        if prefix in prior:
            continue
        said = 0.0
        if how.language is not None and how.weight:
            said = how.weight * float(how.language(prefix[:-1])[prefix[-1]])
        prior[prefix] = prior[prefix[:-1]] + said + how.bonus


def _add(one: float, other: float) -> float:
    """Return log(exp(one) + exp(other))."""
    if one < other:
        one, other = other, one
    return one if other == NOTHING else one + math.log1p(math.exp(other - one))


def best(frames: Frames, how: Search) -> tuple[Sequence[int], float]:
    """Return the best text's labels, and a confidence: the mean probability of a label by CTC."""
    found = search(frames, how)[0]
    return found.labels, math.exp(min(0.0, found.log_prob / max(1, len(found.labels))))
