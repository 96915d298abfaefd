"""Which of all lines stay: a decision over the whole corpus, made from hashes so that memory stays bounded.

Each chunk has a mask, one byte a line: 0 keeps it, any other number is the reason in REASONS that drops it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from glyphline.corpus.analysis import chunk_name
from glyphline.manifest import Storage

REASONS = ("", "duplicate", "outside_charset", "over_max_lines", "near_duplicate")
HASHES_AT_ONCE = 20_000_000
"""Lines whose hashes are held in memory together: 24 bytes each, and as much again while sorting."""


class Chunks:
    """The committed chunks of a corpus in the making."""

    def __init__(self, storage: Storage, count: int) -> None:
        self.storage, self.count = storage, count
        self.sizes = [self.storage.files.size(self.storage.path(f"{chunk_name(i)}.hashes")) // 16 for i in range(count)]
        self.masks = [np.zeros(size, dtype=np.uint8) for size in self.sizes]

    def hashes(self, index: int) -> np.ndarray:
        """Return a chunk's hashes, uint64 `(lines, 2)`."""
        return np.frombuffer(self.storage.read(f"{chunk_name(index)}.hashes"), dtype=np.uint64).reshape(-1, 2)

    def texts(self, index: int) -> list[str]:
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
    for start, end in zip(starts, [*starts[1:], len(owners)], strict=True):
        chunks.drop(int(owners[start]), rows[start:end], reason)


def frequent_characters(chunks: Chunks, languages: Sequence[str], limit: int) -> dict[str, set[str]]:
    """Return the `limit` most frequent characters of the kept lines of each language; ties by code point."""
    from collections import Counter

    counts: dict[str, Counter] = {}
    for index in range(chunks.count):
        counter = counts.setdefault(languages[index], Counter())
        for text, mask in zip(chunks.texts(index), chunks.masks[index], strict=True):
            if not mask:
                counter.update(text)
    # The space is free: without it hardly a line could stay.
    ranked = {
        code: sorted(c.items() - {(" ", c[" "])}, key=lambda item: (-item[1], item[0])) for code, c in counts.items()
    }
    return {code: {" "} | {character for character, _ in rank[:limit]} for code, rank in ranked.items()}


def limit_charset(chunks: Chunks, languages: Sequence[str], limit: int) -> None:
    """Drop the lines that hold a character that is not among the most frequent of their language."""
    allowed = frequent_characters(chunks, languages, limit)
    for index in range(chunks.count):
        wanted = allowed[languages[index]]
        outside = [not wanted.issuperset(text) for text in chunks.texts(index)]
        chunks.drop(
            index, np.flatnonzero(np.array(outside, dtype=bool) & (chunks.masks[index] == 0)), "outside_charset"
        )


def limit_lines(chunks: Chunks, limit: int) -> None:
    """Keep the `limit` lines with the smallest hashes: a sample that moves as little as it can when texts come."""
    if chunks.kept <= limit:
        return
    threshold = _threshold(chunks, limit)
    for index in range(chunks.count):
        over = (chunks.hashes(index)[:, 1] > threshold) & (chunks.masks[index] == 0)
        chunks.drop(index, np.flatnonzero(over), "over_max_lines")


def _threshold(chunks: Chunks, limit: int) -> np.uint64:
    """Return the largest hash (second half) that stays: first a histogram of the top 16 bits, then one bin exactly."""
    histogram = np.zeros(1 << 16, dtype=np.int64)
    for values in _kept_values(chunks):
        histogram += np.bincount((values >> np.uint64(48)).astype(np.int64), minlength=1 << 16)
    below = np.cumsum(histogram)
    bin_number = int(np.searchsorted(below, limit))
    rest = limit - int(below[bin_number - 1] if bin_number else 0)
    inside = [values[(values >> np.uint64(48)) == bin_number] for values in _kept_values(chunks)]
    return np.sort(np.concatenate(inside))[rest - 1]


def _kept_values(chunks: Chunks) -> Iterator[np.ndarray]:
    for index in range(chunks.count):
        yield chunks.hashes(index)[chunks.masks[index] == 0, 1]
