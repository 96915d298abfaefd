"""The finished corpus: Parquet shards of the lines that stay, their splits and names, and what is told about them."""

from __future__ import annotations

import json
from bisect import insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphline.corpus.analysis import chunk_name
from glyphline.corpus.making import KINDS
from glyphline.corpus.plan import PlannedSource
from glyphline.corpus.selection import REASONS
from glyphline.corpus.settings import CollectSettings, SplitSettings
from glyphline.corpus.similarity import skeleton
from glyphline.manifest import PROGRESS, Output, Storage, pack_corpus, pretty
from glyphline.records import Drop, TextLine
from glyphline.seeds import share
from glyphline.text import graphemes

GENERATED = "generated"
"""Source of lines that no text holds."""
NATURAL = KINDS.index("number")
"""Kinds below this are cut from texts."""
SAMPLES = 12
"""Lines of a source, and drops of a reason, that the report shows."""


def split_of(text: str, seed: int, split: SplitSettings) -> str:
    """Return the split of a text, from a hash of its letters and digits.

    Texts that differ in nothing but punctuation, spaces and case fall into the same split.
    """
    place = share(seed, "split", skeleton(text))
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
    """Write one shard with its counts and drops, and before it what the report tells of it."""
    counts, reasons, made, lines, drops, facts = Counter(), Counter(), Counter(), [], [], ShardFacts()
    for index, mask in zip(job.chunks, job.masks, strict=True):
        chunk = json.loads(output.storage.read(f"{chunk_name(index)}.json"))
        label = sources[chunk["source"]].label if chunk["source"] >= 0 else GENERATED
        counts.update(chunk["counts"])
        reasons.update(chunk["drops"])
        facts.add_examples(chunk["examples"])
        for text, identifier, kind, reason in _rows(output.storage, index, mask):
            if reason:
                reasons[REASONS[reason]] += 1
                facts.add_examples({REASONS[reason]: [text]})
                drops += [Drop(REASONS[reason], text, label)] if settings.list_drops else []
                continue
            source = label if kind < NATURAL else GENERATED
            line = TextLine(identifier, text, chunk["language"], source, split_of(text, settings.seed, settings.split))
            lines.append(line)
            made[line.split, line.language, line.source, KINDS[kind]] += 1
            facts.add_line(line)
        drops += _listed(output.storage, index) if settings.list_drops else []
    for (split, language, source, kind), number in made.items():
        for key in ("lines", f"split {split}", f"language {language}", f"source {source}", f"kind {kind}"):
            counts[key] += number
    output.storage.write(f"{PROGRESS}/{job.name}.facts", pretty(facts.plain()).encode())
    unlisted = {} if settings.list_drops else reasons
    output.commit(job.name, pack_corpus(lines), dict(counts), drops, unlisted)


def _rows(storage: Storage, index: int, mask: np.ndarray) -> Iterator[tuple[str, str, int, int]]:
    """Yield text, name, kind and reason to drop of each line of a chunk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = chunk_name(index)
    table = pq.read_table(pa.BufferReader(storage.read(f"{name}.parquet")))
    data = storage.read(f"{name}.hashes")
    names = [data[start : start + 8].hex() for start in range(0, len(data), 16)]
    yield from zip(
        table.column("text").to_pylist(), names, table.column("kind").to_pylist(), mask.tolist(), strict=True
    )


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

    def add_line(self, line: TextLine) -> None:
        """Count a line. Those with the smallest names, hashes as they are, are a random sample."""
        seen = graphemes(line.text)
        self.characters.setdefault(line.language, Counter()).update(seen)
        self.lengths[len(seen)] += 1
        held = self.samples.setdefault(line.source, [])
        if len(held) < SAMPLES or line.id < held[-1][0]:
            insort(held, (line.id, line.text))
            del held[SAMPLES:]

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
