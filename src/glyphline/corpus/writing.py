"""The finished corpus: Parquet shards of the lines that stay, their splits and names, and what is told about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from glyphline.corpus.analysis import chunk_name
from glyphline.corpus.plan import PlannedSource
from glyphline.corpus.selection import REASONS
from glyphline.corpus.settings import CollectSettings, SplitSettings
from glyphline.manifest import Output, Storage, pack_corpus
from glyphline.records import Drop, TextLine
from glyphline.seeds import share

_SILENT = regex.compile(r"[\p{P}\p{S}\p{Z}]+")


def split_of(text: str, seed: int, split: SplitSettings) -> str:
    """Return the split of a text, from a hash of its letters and digits.

    Texts that differ in nothing but punctuation, spaces and case fall into the same split.
    """
    place = share(seed, "split", _SILENT.sub("", text).casefold() or text)
    if place < split.test:
        return "test"
    return "validation" if place < split.test + split.validation else "train"


@dataclass
class ShardJob:
    """A shard to write: some chunks, and which of their lines stay."""

    name: str
    """File name of the shard."""
    chunks: list[int]
    """Numbers of its chunks."""
    masks: list[np.ndarray]
    """Which lines of each chunk stay: 0, or the number of the reason that drops it."""


def write_shard(output: Output, job: ShardJob, sources: Sequence[PlannedSource], settings: CollectSettings) -> None:
    """Write one shard with its counts and drops."""
    import json

    counts, unlisted, lines, drops = Counter(), Counter(), [], []
    for index, mask in zip(job.chunks, job.masks, strict=True):
        facts = json.loads(output.storage.read(f"{chunk_name(index)}.json"))
        source = sources[facts["source"]]
        counts.update(facts["counts"])
        unlisted.update(facts["drops"])
        for text, identifier, reason in _rows(output, index, mask):
            if reason:
                unlisted[REASONS[reason]] += 1
                drops += [Drop(REASONS[reason], text, source.label)] if settings.list_drops else []
                continue
            split = split_of(text, settings.seed, settings.split)
            lines.append(TextLine(identifier, text, source.language, source.label, split))
        if settings.list_drops:
            drops += _listed(output, index)
    for key in ("lines", "whole", "wrapped"):
        counts.pop(key, None)
    counts.update(_counted(lines))
    if settings.list_drops:
        unlisted.clear()
    output.commit(job.name, pack_corpus(lines), dict(counts), drops, unlisted)


def _rows(output: Output, index: int, mask: np.ndarray) -> list[tuple[str, str, int]]:
    """Return text, name and reason of each line of a chunk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = chunk_name(index)
    texts = pq.read_table(pa.BufferReader(output.storage.read(f"{name}.parquet"))).column("text").to_pylist()
    data = output.storage.read(f"{name}.hashes")
    names = [data[start : start + 8].hex() for start in range(0, len(data), 16)]
    return list(zip(texts, names, mask.tolist(), strict=True))


def _listed(output: Output, index: int) -> list[Drop]:
    import json

    name = f"{chunk_name(index)}.drops"
    if not output.storage.exists(name):
        return []
    rows = output.storage.read(name).decode("utf-8", "surrogatepass").splitlines()
    return [Drop(**json.loads(row)) for row in rows]


def _counted(lines: Sequence[TextLine]) -> Counter:
    """Count lines: all, by split, by language and by source."""
    counts: Counter = Counter(lines=len(lines))
    for line in lines:
        counts[f"split {line.split}"] += 1
        counts[f"language {line.language}"] += 1
        counts[f"source {line.source}"] += 1
    return counts


def lines_of(storage: Storage, shards: Sequence[str]) -> Iterator[bytes]:
    """Yield the texts of the shards, one a line, a shard at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in shards:
        texts = pq.read_table(pa.BufferReader(storage.read(name)), columns=["text"]).column("text").to_pylist()
        yield "".join(f"{text}\n" for text in texts).encode()
