"""Parquet shards with the picture as Hugging Face's Image feature: what every other stage reads."""

from __future__ import annotations

from collections.abc import Sequence

from glyphline.manifest import Storage, pack_lines
from glyphline.render.layouts import Item, Packed, Place


def shard_name(place: Place) -> str:
    """Return a name from which `datasets` tells the split."""
    return f"data/{place.tag}.parquet"


def pack(items: Sequence[Item], place: Place) -> Packed:
    """Return the shard as one Parquet file."""
    return Packed(pack_lines([(item.sample, item.data) for item in items]))


def finish(storage: Storage, shards: Sequence[str]) -> None:
    """Add nothing: the shards are all there is."""
