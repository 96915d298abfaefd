"""One file a layout: how rendered lines lie on the disk.

shard_name(place) -> str               the shard's file
pack(items, place) -> Packed           that file's bytes, and those of further files that it lists
finish(storage, shards) -> None        what stands beside all shards, such as labels.txt
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from glyphline.records import Sample

EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp"}


@dataclass(frozen=True, slots=True)
class Place:
    """Which shard of which split."""

    split: str
    number: int
    total: int
    format: Literal["png", "jpeg", "webp"] = "png"
    naming: int = 2

    @property
    def tag(self) -> str:
        """Return the name's middle: train-00000-of-00004."""
        return f"{self.split}-{self.number:05d}-of-{self.total:05d}"


@dataclass(frozen=True, slots=True)
class Item:
    """A rendered line, encoded, with its running number in the folder."""

    number: int
    sample: Sample
    data: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A shard's own bytes and the further files that belong to it."""

    data: bytes
    files: dict[str, bytes] = field(default_factory=dict)


def index_of(items: Sequence[Item], names: Sequence[str]) -> bytes:
    """Return the shard file of layouts of loose pictures: JSON lines of name, text, digest and provenance."""
    rows = []
    for item, name in zip(items, names, strict=True):
        sample = item.sample
        facts = {key: getattr(sample, key) for key in ("id", "text", "language", "source", "split", "provenance")}
        facts |= {"file": name, "sha256": hashlib.sha256(item.data).hexdigest()}
        rows.append(json.dumps(facts, ensure_ascii=False, sort_keys=True) + "\n")
    return "".join(rows).encode()
