"""Loose pictures with a metadata.csv a split: Hugging Face's imagefolder, and what most other tools can read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from glyphline.manifest import Storage
from glyphline.render.layouts import EXTENSIONS, Item, Packed, Place, index_of

COLUMNS = ("file_name", "text", "id", "language", "source")


def shard_name(place: Place) -> str:
    """Return the list of the shard's pictures, with digests and provenance."""
    return f"index/{place.tag}.jsonl"


def pack(items: Sequence[Item], place: Place) -> Packed:
    """Return the pictures, and the list of them."""
    names = [f"{place.split}/{item.number:09d}.{EXTENSIONS[place.format]}" for item in items]
    files = dict(zip(names, (item.data for item in items), strict=True))
    return Packed(index_of(items, names), files)


def finish(storage: Storage, shards: Sequence[str]) -> None:
    """Write `<split>/metadata.csv`."""
    rows = [json.loads(row) for shard in shards for row in storage.read(shard).decode().splitlines()]
    for split in sorted({row["split"] for row in rows}):
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if row["split"] == split:
                writer.writerow(row | {"file_name": row["file"].partition("/")[2]})
        storage.write(f"{split}/metadata.csv", text.getvalue().encode())
