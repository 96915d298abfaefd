"""From step-by-step logits to texts: greedy and beam search, and an end to loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from glyphline.models.decoder import Cache

Step = Callable[[torch.Tensor, Cache], torch.Tensor]
"""From ids `(B, 1)` and the cache to logits `(B, 1, vocabulary)`."""
LOOP, TURNS = 40, 3
"""A text whose end repeats itself this many times, over so many tokens in all, has lost its way."""


@dataclass(frozen=True)
class Limits:
    """Where a search starts and ends."""

    start: int
    end: int
    longest: int
    """Tokens with the end token."""


@dataclass(frozen=True, slots=True)
class Found:
    """A text as token ids without start and end, and the mean log-probability of its tokens, end included."""

    ids: list[int]
    mean: float


def loop_start(ids: Sequence[int]) -> int | None:
    """Return how much of `ids` to keep where their end is a block repeated over and over; None where it is not.

    A row of forty dots is a loop too; rows of thirty are not.
    """
    for period in range(1, len(ids) // TURNS + 1):
        turns = 1
        block = ids[len(ids) - period :]
        while ids[len(ids) - (turns + 1) * period : len(ids) - turns * period] == block:
            turns += 1
        if turns >= TURNS and turns * period >= LOOP:
            return len(ids) - (turns - 1) * period
    return None


@torch.no_grad()
def greedy(step: Step, cache: Cache, limits: Limits) -> list[Found]:
    """Take the likeliest token at each step; rows that ended or went into a loop wait for the rest."""
    rows = cache.breaks.shape[0]
    ids = torch.full((rows, 1), limits.start, device=cache.breaks.device)
    texts: list[list[int]] = [[] for _ in range(rows)]
    sums, counts = [0.0] * rows, [0] * rows
    open_rows = set(range(rows))
    for number in range(limits.longest):
        best, chosen = step(ids, cache)[:, -1].float().log_softmax(-1).max(-1)
        for row, (value, token) in enumerate(zip(best.tolist(), chosen.tolist(), strict=True)):
            if row not in open_rows:
                continue
            sums[row], counts[row] = sums[row] + value, counts[row] + 1
            if token == limits.end:
                open_rows.discard(row)
                continue
            texts[row].append(token)
            if number % 8 == 7 and (kept := loop_start(texts[row])) is not None:
                texts[row] = texts[row][:kept]
                open_rows.discard(row)
        if not open_rows:
            break
        ids = chosen[:, None]
    return [Found(text, total / max(1, count)) for text, total, count in zip(texts, sums, counts, strict=True)]


@torch.no_grad()
def beam(step: Step, cache: Cache, limits: Limits, width: int) -> list[Found]:
    """Keep the `width` likeliest texts of each row at each step; the one of the highest mean log-probability wins.

    A row is settled, whatever the others of the batch do, when its likeliest open text is behind its best ended one
    by the mean so far, or goes in a loop.
    """
    rows, device = cache.breaks.shape[0], cache.breaks.device
    cache.select(torch.arange(rows, device=device).repeat_interleave(width))
    scores = torch.full((rows, width), -torch.inf, device=device)
    scores[:, 0] = 0.0
    ids = torch.full((rows * width, 1), limits.start, device=device)
    beams = [_Beam(width) for _ in range(rows)]
    for number in range(1, limits.longest + 1):
        log_probs = step(ids, cache)[:, -1].float().log_softmax(-1).unflatten(0, (rows, width))
        endings = ((scores + log_probs[:, :, limits.end]) / number).tolist()
        log_probs[:, :, limits.end] = -torch.inf
        scores, flat = (scores[:, :, None] + log_probs).flatten(1).topk(width)
        parents, tokens = flat // log_probs.shape[-1], flat % log_probs.shape[-1]
        for row, one in enumerate(beams):
            one.advance(endings[row], parents[row].tolist(), tokens[row].tolist(), float(scores[row, 0]) / number)
        if all(one.settled for one in beams):
            break
        cache.select((parents + torch.arange(rows, device=device)[:, None] * width).flatten())
        ids = tokens.flatten()[:, None]
    return [one.best() for one in beams]


class _Beam:
    """The texts of one row: the open ones, likeliest first, and the best of those that ended."""

    def __init__(self, width: int) -> None:
        self.texts: list[list[int]] = [[] for _ in range(width)]
        self.ended, self.mean, self.settled = Found([], -float("inf")), 0.0, False

    def advance(self, endings: list[float], parents: list[int], tokens: list[int], mean: float) -> None:
        """Take the means of texts that end here, and the open texts' next tokens; nothing once settled."""
        if self.settled:
            return
        place = max(range(len(endings)), key=endings.__getitem__)
        if endings[place] > self.ended.mean:
            self.ended = Found(self.texts[place], endings[place])
        self.texts = [[*self.texts[parent], token] for parent, token in zip(parents, tokens, strict=True)]
        self.mean = mean
        looping = len(self.texts[0]) % 8 == 0 and loop_start(self.texts[0]) is not None
        self.settled = self.ended.mean > mean or looping

    def best(self) -> Found:
        """Return the best text that ended; the likeliest open one, without its loop, where that is better still."""
        if self.ended.mean > self.mean:
            return self.ended
        return Found(self.texts[0][: loop_start(self.texts[0])], self.mean)
