"""Which of all lines stay: a decision over the whole corpus, made from hashes so that memory stays bounded.

Each chunk has a mask, one byte a line: 0 keeps it, any other number is the reason in REASONS that drops it.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator

import numpy as np

from glyphline.corpus.analysis import FACTS, read_chunk
from glyphline.corpus.coverage import choose, occurrences, wanted
from glyphline.corpus.settings import CoverageSettings
from glyphline.manifest import Storage
from glyphline.settings import InputError
from glyphline.text import graphemes

REASONS = ("", "duplicate", "outside_charset", "over_max_lines", "near_duplicate")
TEXTS_HELD = 4
COVERAGE_PASSES = 8
HASHES_AT_ONCE = 8_000_000
"""Lines whose hashes are held in memory together: 24 bytes each, and twice as much again while sorting."""


class Chunks:
    """The committed chunks of a corpus in the making."""

    def __init__(self, storage: Storage, count: int) -> None:
        self.storage, self.count = storage, 0
        self.sizes: list[int] = []
        self.masks: list[np.ndarray] = []
        self.languages: list[str] = []
        self.reasons: Counter = Counter()
        self.texts = functools.lru_cache(TEXTS_HELD)(self._texts)
        for _ in range(count):
            self.add()

    def add(self) -> None:
        """Take the next chunk in."""
        table = read_chunk(self.storage, self.count, ["kind"])
        self.sizes.append(table.num_rows)
        self.masks.append(np.zeros(table.num_rows, dtype=np.uint8))
        facts = json.loads(table.schema.metadata[FACTS])
        self.languages.append(facts["language"])
        self.reasons.update(facts["drops"])
        self.count += 1

    def column(self, index: int, name: str) -> np.ndarray:
        """Return a column of a chunk, `(lines,)`: a half of the hashes (`first`, `second`), or a band (`band0`, …)."""
        return read_chunk(self.storage, index, [name]).column(name).to_numpy()

    def kept_texts(self, index: int) -> list[str]:
        """Return the texts of a chunk's lines that no decision has dropped."""
        return [text for text, mask in zip(self.texts(index), self.masks[index], strict=True) if not mask]

    def language(self, index: int) -> str:
        """Return the code of a chunk's language."""
        return self.languages[index]

    def _texts(self, index: int) -> list[str]:
        """Return a chunk's texts."""
        return read_chunk(self.storage, index, ["text"]).column("text").to_pylist()

    def drop(self, index: int, rows: np.ndarray, reason: str) -> None:
        """Mark lines of a chunk as dropped."""
        self.masks[index][rows] = REASONS.index(reason)
        self.reasons[reason] += len(rows)

    @property
    def kept(self) -> int:
        """Number of lines that no decision has dropped."""
        return int(sum((mask == 0).sum() for mask in self.masks))


def drop_duplicates(chunks: Chunks) -> None:
    """Keep the first of equal texts. Works through ranges of the hashes so that each range fits into memory."""
    passes = 1 + sum(chunks.sizes) // HASHES_AT_ONCE
    for part in range(passes):
        first, second, owners, rows = _range(chunks, part, passes)
        # Stable by construction: rows come in corpus order and lexsort keeps it among equals.
        order = np.lexsort((second, first))
        again = np.zeros(len(order), dtype=bool)
        again[1:] = (first[order][1:] == first[order][:-1]) & (second[order][1:] == second[order][:-1])
        repeated = order[again]
        _drop_rows(chunks, owners[repeated], rows[repeated], "duplicate")


def _range(chunks: Chunks, part: int, passes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return both halves of the hashes of one range, with the chunk and the row that each belongs to."""
    parts: list[tuple[np.ndarray, ...]] = [(np.zeros(0, np.uint64),) * 2 + (np.zeros(0, np.int32),) * 2]
    for index in range(chunks.count):
        first, second = chunks.column(index, "first"), chunks.column(index, "second")
        rows = np.flatnonzero((first % np.uint64(passes) == part) & (chunks.masks[index] == 0))
        owners = np.full(len(rows), index, dtype=np.int32)
        parts.append((first[rows], second[rows], owners, rows.astype(np.int32)))
    first, second, owners, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first, second, owners, rows


def _drop_rows(chunks: Chunks, owners: np.ndarray, rows: np.ndarray, reason: str) -> None:
    order = np.argsort(owners, kind="stable")
    owners, rows = owners[order], rows[order]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    for start, members in zip(starts, np.split(rows, starts[1:]), strict=False):
        chunks.drop(int(owners[start]), members, reason)


def limit_charset(chunks: Chunks, limit: int) -> None:
    """Drop lines with a character that is not among the `limit` most frequent of their language; ties by code point."""
    counts: dict[str, Counter] = {}
    for index in range(chunks.count):
        counter = counts.setdefault(chunks.language(index), Counter())
        for text in chunks.kept_texts(index):
            counter.update(text)
    allowed: dict[str, set[str]] = {}
    for code, counter in counts.items():
        # The space is free: without it hardly a line could stay.
        counter.pop(" ", None)
        ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
        allowed[code] = {" "} | {character for character, _ in ranked[:limit]}
    for index in range(chunks.count):
        characters = allowed[chunks.language(index)]
        outside = np.array([not characters.issuperset(text) for text in chunks.texts(index)], dtype=bool)
        chunks.drop(index, np.flatnonzero(outside & (chunks.masks[index] == 0)), "outside_charset")


def limit_lines(chunks: Chunks, limit: int, coverage: CoverageSettings) -> None:
    """Keep `limit` lines: those that rare characters need, then the ones with the smallest hashes.

    The hash makes it a sample that moves as little as it can when texts come and go.
    """
    if chunks.kept <= limit:
        return
    spared = [np.zeros(size, dtype=bool) for size in chunks.sizes]
    threshold = _threshold(chunks, limit, spared)
    for _ in range(COVERAGE_PASSES if coverage.minimum else 0):
        if not _spare(chunks, spared, threshold, coverage):
            break
        rest = limit - int(sum(rows.sum() for rows in spared))
        if rest < 0:
            raise InputError(f"max_lines {limit} is too low: the wanted characters alone need {limit - rest} lines")
        threshold = _threshold(chunks, rest, spared)
    for index in range(chunks.count):
        over = (chunks.column(index, "second") > threshold) & (chunks.masks[index] == 0) & ~spared[index]
        chunks.drop(index, np.flatnonzero(over), "over_max_lines")


def _spare(chunks: Chunks, spared: list[np.ndarray], threshold: np.uint64, coverage: CoverageSettings) -> bool:
    """Spare lines with characters that the sample would hold too seldom; tells whether there were any.

    Each spared line takes the place of a sampled one, which may have held something rare too: hence several passes.
    """
    inside: Counter = Counter()
    found: set[str] = set()
    for index in range(chunks.count):
        chosen = spared[index] | (chunks.column(index, "second") <= threshold)
        for text, mask, taken in zip(chunks.texts(index), chunks.masks[index], chosen, strict=True):
            if not mask:
                seen = set(graphemes(text))
                found |= seen
                inside.update(seen if taken else ())
    lacking = {c: coverage.minimum - inside[c] for c in wanted(coverage, found) if c in found}
    missing = Counter({character: number for character, number in lacking.items() if number > 0})
    if not missing:
        return False
    for index in range(chunks.count):
        left = (chunks.masks[index] == 0) & ~spared[index] & (chunks.column(index, "second") > threshold)
        rows = np.flatnonzero(left)
        texts = chunks.texts(index)
        spared[index][rows[choose((texts[row] for row in rows), missing)]] = True
    return True


def _threshold(chunks: Chunks, limit: int, spared: list[np.ndarray]) -> np.uint64:
    """Return the largest hash (second half) that stays: first a histogram of the top 16 bits, then one bin exactly."""
    if limit == 0:
        return np.uint64(0)
    histogram = np.zeros(1 << 16, dtype=np.int64)
    for values in _kept_values(chunks, spared):
        histogram += np.bincount((values >> np.uint64(48)).astype(np.int64), minlength=1 << 16)
    below = np.cumsum(histogram)
    place = int(np.searchsorted(below, limit))
    rest = limit - int(below[place - 1] if place else 0)
    inside = [values[(values >> np.uint64(48)) == place] for values in _kept_values(chunks, spared)]
    return np.sort(np.concatenate(inside))[rest - 1]


def _kept_values(chunks: Chunks, spared: list[np.ndarray]) -> Iterator[np.ndarray]:
    for index in range(chunks.count):
        yield chunks.column(index, "second")[(chunks.masks[index] == 0) & ~spared[index]]


def still_missing(chunks: Chunks, coverage: CoverageSettings) -> Counter:
    """Return how many lines more must hold each wanted character."""
    counts: Counter = Counter()
    for index in range(chunks.count):
        counts.update(occurrences(chunks.kept_texts(index)))
    lacking = {c: coverage.minimum - counts[c] for c in wanted(coverage, counts)}
    return Counter({character: number for character, number in lacking.items() if number > 0})
