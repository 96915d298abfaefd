"""Near-duplicates of the whole corpus: which lines are compared, and which of two stays.

Lines are numbered through all chunks. Pairs lie on the disk, in parts by their later line, so that memory is
bounded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from glyphline.corpus import selection
from glyphline.corpus.analysis import read_chunk
from glyphline.corpus.selection import Chunks
from glyphline.corpus.similarity import BANDS, likeness_of_skeletons, skeletons
from glyphline.manifest import PROGRESS, Storage

LINES_A_PART = 250_000
PAIRS_A_JOB = 250_000

Work = Callable[[Callable[..., Any], Iterator[tuple]], Iterator[Any]]
"""Does jobs, in other processes if there are any, and yields their results in order."""


def drop_near_duplicates(chunks: Chunks, threshold: float, work: Work, jobs: int = 1) -> None:
    """Drop lines that are at least as alike to an earlier kept line, of those that MinHash pairs them with."""
    starts = np.concatenate([[0], np.cumsum(chunks.sizes)])
    beside = chunks.storage.path(PROGRESS) if chunks.storage.is_local else None
    with tempfile.TemporaryDirectory(dir=beside, prefix="pairs") as folder:
        for band in range(BANDS):
            for later, earlier in _pairs(chunks, starts, band):
                _append(Path(folder), later, earlier)
        # In corpus order, so that it is known whether the earlier line of a pair stays.
        dropped = np.concatenate([mask != 0 for mask in chunks.masks])
        for part in range(-(-len(dropped) // LINES_A_PART)):
            path = Path(folder) / str(part)
            if not path.exists():
                continue
            pairs = _distinct(np.fromfile(path, dtype=np.int64).reshape(-1, 2))
            pairs = pairs[~dropped[pairs[:, 1]]]
            step = max(1, min(PAIRS_A_JOB, -(-len(pairs) // jobs)))
            slices = [pairs[start : start + step] for start in range(0, len(pairs), step)]
            alike = work(are_alike, ((chunks.storage.folder, starts, some, threshold) for some in slices))
            for some, found in zip(slices, alike, strict=True):
                _drop(chunks, starts, some[found], dropped)
            path.unlink()


def _pairs(chunks: Chunks, starts: np.ndarray, band: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the numbers of lines that agree in a band with an earlier one, and of the first line that has it."""
    passes = 1 + sum(chunks.sizes) // selection.HASHES_AT_ONCE
    for part in range(passes):
        columns: list[tuple[np.ndarray, np.ndarray]] = []
        for index in range(chunks.count):
            values = chunks.column(index, f"band{band}")
            rows = np.flatnonzero((values % np.uint64(passes) == part) & (chunks.masks[index] == 0))
            columns.append((values[rows], rows + starts[index]))
        values, lines = (np.concatenate(column) for column in zip(*columns, strict=True))
        order = np.argsort(values, kind="stable")
        values, lines = values[order], lines[order]
        fresh = np.ones(len(values), dtype=bool)
        fresh[1:] = values[1:] != values[:-1]
        leaders = lines[np.flatnonzero(fresh)[np.cumsum(fresh) - 1]]
        yield lines[~fresh], leaders[~fresh]


def _append(folder: Path, later: np.ndarray, earlier: np.ndarray) -> None:
    """Add pairs to the files of their parts."""
    order = np.argsort(later, kind="stable")
    pairs = np.stack([later[order], earlier[order]], axis=1)
    parts = pairs[:, 0] // LINES_A_PART
    for members in np.split(pairs, np.flatnonzero(np.diff(parts)) + 1) if len(pairs) else []:
        with (folder / str(members[0, 0] // LINES_A_PART)).open("ab") as handle:
            members.tofile(handle)


def _distinct(pairs: np.ndarray) -> np.ndarray:
    """Return pairs in order, each once: lines that agree in several bands are one pair."""
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    fresh = np.ones(len(pairs), dtype=bool)
    fresh[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[fresh]


def _drop(chunks: Chunks, starts: np.ndarray, alike: np.ndarray, dropped: np.ndarray) -> None:
    """Drop the later line of each pair whose earlier one stays; keeps `dropped`, bool `(lines,)`, up to date."""
    found: list[int] = []
    for later, earlier in alike.tolist():
        if not dropped[later] and not dropped[earlier]:
            dropped[later] = True
            found.append(later)
    lines = np.array(found, dtype=np.int64)
    owners = np.searchsorted(starts, lines, side="right") - 1
    for index in np.unique(owners).tolist():
        chunks.drop(index, lines[owners == index] - starts[index], "near_duplicate")


def are_alike(folder: str, starts: np.ndarray, pairs: np.ndarray, threshold: float) -> np.ndarray:
    """Return which pairs of lines, int64 `(N, 2)`, share at least so much of their groups, bool `(N,)`."""
    lines, places = np.unique(pairs, return_inverse=True)
    bare = skeletons(_texts(Storage(folder), starts, lines))
    pairs_of_places = places.reshape(-1, 2).tolist()
    found = (likeness_of_skeletons(bare[later], bare[earlier]) >= threshold for later, earlier in pairs_of_places)
    return np.fromiter(found, dtype=bool, count=len(pairs))


def _texts(storage: Storage, starts: np.ndarray, lines: np.ndarray) -> list[str]:
    """Return the texts of lines, whose numbers are sorted: each chunk is read once."""
    texts: list[str] = []
    owners = np.searchsorted(starts, lines, side="right") - 1
    for members in np.split(lines, np.flatnonzero(np.diff(owners)) + 1) if len(lines) else []:
        index = int(np.searchsorted(starts, members[0], side="right")) - 1
        column = read_chunk(storage, index, ["text"]).column("text")
        texts += column.take(members - starts[index]).to_pylist()
    return texts
