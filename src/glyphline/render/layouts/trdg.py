"""TextRecognitionDataGenerator's layout: loose pictures and labels.txt, names by -na 0, 1 or 2."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from glyphline.manifest import Storage
from glyphline.render.layouts import EXTENSIONS, Item, Packed, Place, index_of

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def shard_name(place: Place) -> str:
    """Return the list of the shard's pictures, with digests and provenance."""
    return f"index/{place.tag}.jsonl"


def pack(items: Sequence[Item], place: Place) -> Packed:
    """Return the pictures, and the list of them."""
    names = [file_name(item, place) for item in items]
    files = dict(zip(names, (item.data for item in items), strict=True))
    return Packed(index_of(items, names), files)


def file_name(item: Item, place: Place) -> str:
    """Return TEXT_ID, ID_TEXT or ID with the format's extension; a text is cut to what file systems take."""
    text = _UNSAFE.sub("", item.sample.text).encode()[:180].decode(errors="ignore")
    stem = {0: f"{text}_{item.number}", 1: f"{item.number}_{text}", 2: str(item.number)}[place.naming]
    return f"{stem}.{EXTENSIONS[place.format]}"


def finish(storage: Storage, shards: Sequence[str]) -> None:
    """Write labels.txt: `name text`, only for pictures that exist."""
    rows = [json.loads(row) for shard in shards for row in storage.read(shard).decode().splitlines()]
    storage.write("labels.txt", "".join(f"{row['file']} {row['text']}\n" for row in rows).encode())
