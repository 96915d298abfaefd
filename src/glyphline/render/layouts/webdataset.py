"""WebDataset tars: a picture, its text and its facts a sample; the same bytes each time."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence

from glyphline.manifest import Storage
from glyphline.render.layouts import EXTENSIONS, Item, Packed, Place


def shard_name(place: Place) -> str:
    """Return a name from which `datasets` tells the split."""
    return f"data/{place.tag}.tar"


def pack(items: Sequence[Item], place: Place) -> Packed:
    """Return the shard as one uncompressed tar; times and owners are zero, so that equal lines give equal bytes."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for item in items:
            sample = item.sample
            facts = {key: getattr(sample, key) for key in ("id", "language", "source", "split", "provenance")}
            members = {
                EXTENSIONS[place.format]: item.data,
                "txt": sample.text.encode(),
                "json": json.dumps(facts | {"text": sample.text}, ensure_ascii=False, sort_keys=True).encode(),
            }
            for extension, data in members.items():
                entry = tarfile.TarInfo(f"{item.number:09d}.{extension}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return Packed(sink.getvalue())


def finish(storage: Storage, shards: Sequence[str]) -> None:
    """Add nothing: the shards are all there is."""
