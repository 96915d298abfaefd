"""Which of all lines stay: a decision over the whole corpus, made from hashes so that memory stays bounded.

Each chunk has a mask, one byte a line: 0 keeps it, any other number is the reason in REASONS that drops it.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from glyphline.corpus.analysis import chunk_name
from glyphline.corpus.coverage import choose, occurrences, wanted
from glyphline.corpus.settings import CoverageSettings
from glyphline.corpus.similarity import BANDS, likeness
from glyphline.manifest import Storage
from glyphline.settings import InputError
from glyphline.text import graphemes

REASONS = ("", "duplicate", "outside_charset", "over_max_lines", "near_duplicate")
TEXTS_HELD = 4
PAIRS_AT_ONCE = 1_000_000
COVERAGE_PASSES = 8
HASHES_AT_ONCE = 20_000_000
"""Lines whose hashes are held in memory together: 24 bytes each, and as much again while sorting."""


class Chunks:
    """The committed chunks of a corpus in the making."""

    def __init__(self, storage: Storage, count: int) -> None:
        self.storage, self.count = storage, 0
        self.sizes: list[int] = []
        self.masks: list[np.ndarray] = []
        self.facts: list[dict[str, Any]] = []
        self.texts = functools.lru_cache(TEXTS_HELD)(self._texts)
        for _ in range(count):
            self.add()

    def add(self) -> None:
        """Take the next chunk in."""
        name = chunk_name(self.count)
        self.sizes.append(self.storage.files.size(self.storage.path(f"{name}.hashes")) // 16)
        self.masks.append(np.zeros(self.sizes[-1], dtype=np.uint8))
        facts = json.loads(self.storage.read(f"{name}.json"))
        self.facts.append({"source": facts["source"], "language": facts["language"]})
        self.count += 1

    def hashes(self, index: int) -> np.ndarray:
        """Return a chunk's hashes, uint64 `(lines, 2)`."""
        return np.frombuffer(self.storage.read(f"{chunk_name(index)}.hashes"), dtype=np.uint64).reshape(-1, 2)

    def bands(self, index: int) -> np.ndarray:
        """Return a chunk's band hashes, uint64 `(lines, BANDS)`."""
        return np.frombuffer(self.storage.read(f"{chunk_name(index)}.bands"), dtype=np.uint64).reshape(-1, BANDS)

    def kept_texts(self, index: int) -> list[str]:
        """Return the texts of a chunk's lines that no decision has dropped."""
        return [text for text, mask in zip(self.texts(index), self.masks[index], strict=True) if not mask]

    def language(self, index: int) -> str:
        """Return the code of a chunk's language."""
        return self.facts[index]["language"]

    def _texts(self, index: int) -> list[str]:
        """Return a chunk's texts."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = self.storage.read(f"{chunk_name(index)}.parquet")
        return pq.read_table(pa.BufferReader(data)).column("text").to_pylist()

    def drop(self, index: int, rows: np.ndarray, reason: str) -> None:
        """Mark lines of a chunk as dropped."""
        self.masks[index][rows] = REASONS.index(reason)

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
        hashes = chunks.hashes(index)
        rows = np.flatnonzero((hashes[:, 0] % np.uint64(passes) == part) & (chunks.masks[index] == 0))
        owners = np.full(len(rows), index, dtype=np.int32)
        parts.append((hashes[rows, 0], hashes[rows, 1], owners, rows.astype(np.int32)))
    first, second, owners, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first, second, owners, rows


def _drop_rows(chunks: Chunks, owners: np.ndarray, rows: np.ndarray, reason: str) -> None:
    order = np.argsort(owners, kind="stable")
    owners, rows = owners[order], rows[order]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    for start, members in zip(starts, np.split(rows, starts[1:]), strict=False):
        chunks.drop(int(owners[start]), members, reason)


def drop_near_duplicates(chunks: Chunks, threshold: float) -> None:
    """Drop lines that are at least as alike to an earlier kept line, of those that MinHash pairs them with."""
    # In corpus order, so that it is known whether the earlier line of a pair stays.
    pairs = np.unique(np.concatenate([_pairs(chunks, band) for band in range(BANDS)]), axis=0)
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        some = pairs[start : start + PAIRS_AT_ONCE]
        texts = _texts_of(chunks, np.unique(np.concatenate([some[:, :2], some[:, 2:]]), axis=0))
        for later_chunk, later_row, chunk, row in some.tolist():
            if chunks.masks[later_chunk][later_row] or chunks.masks[chunk][row]:
                continue
            if likeness(texts[later_chunk, later_row], texts[chunk, row]) >= threshold:
                chunks.drop(later_chunk, np.array([later_row]), "near_duplicate")


def _texts_of(chunks: Chunks, places: np.ndarray) -> dict[tuple[int, int], str]:
    """Return the texts at (chunk, row) places, which are sorted: each chunk is read once."""
    found: dict[tuple[int, int], str] = {}
    starts = np.flatnonzero(np.diff(places[:, 0], prepend=-1))
    for members in np.split(places, starts[1:]):
        texts = chunks.texts(int(members[0, 0]))
        found |= {(chunk, row): texts[row] for chunk, row in members.tolist()}
    return found


def _pairs(chunks: Chunks, band: int) -> np.ndarray:
    """Return (later chunk, later row, chunk, row) of lines that agree in a band with the first line that has it."""
    passes = 1 + sum(chunks.sizes) // HASHES_AT_ONCE
    found = [np.zeros((0, 4), dtype=np.int32)]
    for part in range(passes):
        columns: list[tuple[np.ndarray, ...]] = []
        for index in range(chunks.count):
            values = chunks.bands(index)[:, band]
            rows = np.flatnonzero((values % np.uint64(passes) == part) & (chunks.masks[index] == 0))
            columns.append((values[rows], np.full(len(rows), index, dtype=np.int32), rows.astype(np.int32)))
        values, owners, rows = (np.concatenate(column) for column in zip(*columns, strict=True))
        order = np.argsort(values, kind="stable")
        values, owners, rows = values[order], owners[order], rows[order]
        fresh = np.ones(len(values), dtype=bool)
        fresh[1:] = values[1:] != values[:-1]
        leaders = np.flatnonzero(fresh)[np.cumsum(fresh) - 1]
        others = np.flatnonzero(~fresh)
        leader = leaders[others]
        found.append(np.stack([owners[others], rows[others], owners[leader], rows[leader]], axis=1))
    return np.concatenate(found)


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
        over = (chunks.hashes(index)[:, 1] > threshold) & (chunks.masks[index] == 0) & ~spared[index]
        chunks.drop(index, np.flatnonzero(over), "over_max_lines")


def _spare(chunks: Chunks, spared: list[np.ndarray], threshold: np.uint64, coverage: CoverageSettings) -> bool:
    """Spare lines with characters that the sample would hold too seldom; tells whether there were any.

    Each spared line takes the place of a sampled one, which may have held something rare too: hence several passes.
    """
    inside: Counter = Counter()
    found: set[str] = set()
    for index in range(chunks.count):
        chosen = spared[index] | (chunks.hashes(index)[:, 1] <= threshold)
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
        left = (chunks.masks[index] == 0) & ~spared[index] & (chunks.hashes(index)[:, 1] > threshold)
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
        yield chunks.hashes(index)[(chunks.masks[index] == 0) & ~spared[index], 1]


def still_missing(chunks: Chunks, coverage: CoverageSettings) -> Counter:
    """Return how many lines more must hold each wanted character."""
    counts: Counter = Counter()
    for index in range(chunks.count):
        counts.update(occurrences(chunks.kept_texts(index)))
    lacking = {c: coverage.minimum - counts[c] for c in wanted(coverage, counts)}
    return Counter({character: number for character, number in lacking.items() if number > 0})
