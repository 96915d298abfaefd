"""The finished corpus: Parquet shards of the lines that stay, their splits and names, and what is told about them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

import numpy as np

from glyphline.corpus.analysis import FACTS, chunk_name, read_chunk
from glyphline.corpus.batch import Batch
from glyphline.corpus.making import KINDS
from glyphline.corpus.plan import PlannedSource
from glyphline.corpus.selection import REASONS
from glyphline.corpus.settings import CollectSettings
from glyphline.manifest import PROGRESS, Output, Storage, pack_columns, pretty
from glyphline.records import SPLITS, Drop

GENERATED = "generated"
"""Source of lines that no text holds."""
NATURAL = KINDS.index("number")
"""Kinds below this are cut from texts."""
SAMPLES = 12
"""Lines of a source, and drops of a reason, that the report shows."""


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
    """Write one shard with its counts and drops, and before it what the report tells of it."""
    counts, reasons, drops, facts = Counter(), Counter(), [], ShardFacts()
    columns: dict[str, list[str]] = {name: [] for name in ("id", "text", "language", "source", "split", "kind")}
    for index, mask in zip(job.chunks, job.masks, strict=True):
        table = read_chunk(output.storage, index, ["text", "kind", "split", "first"])
        chunk = json.loads(table.schema.metadata[FACTS])
        label = sources[chunk["source"]].label if chunk["source"] >= 0 else GENERATED
        counts.update(chunk["counts"])
        reasons.update(chunk["drops"])
        facts.add_examples(chunk["examples"])
        for text, reason in zip(table.column("text").filter(mask != 0).to_pylist(), mask[mask != 0], strict=True):
            reasons[REASONS[reason]] += 1
            facts.add_examples({REASONS[reason]: [text]})
            drops += [Drop(REASONS[reason], text, label)] if settings.list_drops else []
        kept = _kept_columns(table, mask == 0, label, chunk["language"])
        for name, values in kept.items():
            columns[name] += values
        facts.add_lines(kept)
        drops += _listed(output.storage, index) if settings.list_drops else []
    for name in ("split", "language", "source", "kind"):
        counts.update({f"{name} {value}": number for value, number in Counter(columns[name]).items()})
    counts["lines"] += len(columns.pop("kind"))
    output.storage.write(f"{PROGRESS}/{job.name}.facts", pretty(facts.plain()).encode())
    unlisted = {} if settings.list_drops else reasons
    output.commit(job.name, pack_columns(columns), dict(counts), drops, unlisted)


def _kept_columns(table: Any, kept: np.ndarray, label: str, language: str) -> dict[str, list[str]]:  # noqa: ANN401
    """Return the lines of a chunk that stay, as the columns of a shard, and how each was made (`kind`)."""
    kinds, splits = (table.column(name).to_numpy()[kept].tolist() for name in ("kind", "split"))
    names = table.column("first").to_numpy()[kept].tobytes().hex()
    return {
        "id": [names[start : start + 16] for start in range(0, len(names), 16)],
        "text": table.column("text").filter(kept).to_pylist(),
        "language": [language] * len(kinds),
        "source": [label if kind < NATURAL else GENERATED for kind in kinds],
        "split": [SPLITS[split] for split in splits],
        "kind": [KINDS[kind] for kind in kinds],
    }


def _listed(storage: Storage, index: int) -> list[Drop]:
    """Return what was dropped when a chunk was analysed."""
    name = f"{chunk_name(index)}.drops"
    if not storage.exists(name):
        return []
    return [Drop(**json.loads(row)) for row in storage.read(name).decode().split("\n") if row]


class ShardFacts:
    """What the report tells: characters, lengths, a few lines of each source, a few drops of each reason."""

    def __init__(self) -> None:
        self.characters: dict[str, Counter] = {}
        self.lengths: Counter = Counter()
        self.samples: dict[str, list[tuple[str, str]]] = {}
        self.examples: dict[str, list[str]] = {}

    def add_lines(self, columns: Mapping[str, Sequence[str]]) -> None:
        """Count the lines of a chunk, all of one language, given as columns of a shard.

        Those with the smallest names, hashes as they are, are a random sample.
        """
        if not columns["text"]:
            return
        batch = Batch(columns["text"])
        self.characters.setdefault(columns["language"][0], Counter()).update(batch.graphemes())
        self.lengths.update(Counter(batch.lengths().tolist()))
        for source in set(columns["source"]):
            lines = zip(columns["id"], columns["text"], columns["source"], strict=True)
            named = [(name, text) for name, text, of in lines if of == source]
            self.samples[source] = nsmallest(SAMPLES, [*self.samples.get(source, []), *named])

    def add_examples(self, examples: Mapping[str, Sequence[str]]) -> None:
        """Remember the first dropped items of each reason."""
        for reason, items in examples.items():
            held = self.examples.setdefault(reason, [])
            held += items[: max(0, SAMPLES - len(held))]

    def merge(self, plain: Mapping[str, Any]) -> None:
        """Add the facts of another shard."""
        for code, counts in plain["characters"].items():
            self.characters.setdefault(code, Counter()).update(counts)
        self.lengths.update({int(length): count for length, count in plain["lengths"].items()})
        for source, pairs in plain["samples"].items():
            held = sorted([*self.samples.get(source, []), *map(tuple, pairs)])
            self.samples[source] = held[:SAMPLES]
        self.add_examples(plain["examples"])

    def plain(self) -> dict[str, Any]:
        """Return the facts as JSON will keep them."""
        lengths = {str(length): count for length, count in sorted(self.lengths.items())}
        characters = {code: dict(counter) for code, counter in self.characters.items()}
        return {"characters": characters, "lengths": lengths, "samples": self.samples, "examples": self.examples}


def lines_of(storage: Storage, shards: Sequence[str]) -> Iterator[bytes]:
    """Yield the texts of the shards, one a line, a shard at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in shards:
        texts = pq.read_table(pa.BufferReader(storage.read(name)), columns=["text"]).column("text").to_pylist()
        yield "".join(f"{text}\n" for text in texts).encode()
