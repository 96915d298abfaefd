"""The layout of the Rodrigo corpus: `images/`, `text/transcriptions.txt`, `partitions/{train,validation,test}.txt`.

Ids are matched whole: a partition that names `Rodrigo_00006_1` does not take `Rodrigo_00006_10` with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glyphline.handwriting.raw import FilePicture, RawLine, folder, pictures, read_text, split_name
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class Settings:
    """Where the parts of the set are."""

    root: str = ""
    """Folder of the set."""
    images: str = "images"
    """Folder of the pictures under root; sub-folders are searched."""
    transcriptions: str = "text/transcriptions.txt"
    """List under root: one line a picture, its id, a space or tab, its text."""
    partitions: str = "partitions"
    """Folder under root with one list of ids a split; the file's name is the split's."""
    group_pattern: str = r"^(.*?)[_-]?\d+$"
    """Regular expression whose first group, found in the id, is the page; `()` makes every line a group of its own."""
    encoding: str = "auto"
    """Encoding of the lists."""

    def __post_init__(self) -> None:
        """Check the pattern."""
        try:
            re.compile(self.group_pattern)
        except re.error as error:
            raise InputError(f"group_pattern {self.group_pattern!r}: {error}") from error


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the lines in the order of the transcriptions, then the ids of partitions that have none as drops."""
    root = folder(settings.root)
    splits = _splits(root / settings.partitions, settings.encoding)
    found = {path.stem: path for path in pictures(folder(str(root / settings.images)))}
    unseen = dict(splits)
    for row in read_text(root / settings.transcriptions, settings.encoding).split("\n"):
        name, text = (re.split(r"[ \t]", row.strip("\ufeff\r "), maxsplit=1) + [""])[:2]
        if not name:
            continue
        unseen.pop(name, None)
        if name not in found:
            yield Drop("no picture", name, text[:80])
            continue
        path = found[name]
        group = re.search(settings.group_pattern, name)
        page = group[1] if group and group.groups() and group[1] else name
        known = {"file": path.relative_to(root).as_posix()}
        yield RawLine(name, text, FilePicture(str(path)), page, splits.get(name, ""), provenance=known)
    for name, split in unseen.items():
        yield Drop("in a partition, without transcription", name, split)


def _splits(place: Path, encoding: str) -> dict[str, str]:
    """Return the split of every id. InputError where an id is in two or where there is no list."""
    splits: dict[str, str] = {}
    for path in sorted(place.glob("*.txt")):
        split = split_name(path.stem)
        if not split:
            raise InputError(f"{path}: not train, validation or test; take it away or rename it")
        for name in filter(None, map(str.strip, read_text(path, encoding).split("\n"))):
            name = Path(name).stem if name.lower().endswith((".png", ".jpg", ".tif")) else name
            if splits.setdefault(name, split) != split:
                raise InputError(f"{path}: {name!r} is also in {splits[name]}; partitions must not overlap")
    if not splits:
        raise InputError(
            f"{place}: no lists of ids (train.txt, validation.txt, test.txt); set reader_options.partitions"
        )
    return splits
