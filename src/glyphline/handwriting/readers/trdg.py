"""Output of TextRecognitionDataGenerator (`-na 2`) and of `render --layout trdg`: pictures and `labels.txt`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glyphline.handwriting.raw import FilePicture, RawLine, folder, line_id, read_text
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class Settings:
    """Where the pictures and their list are."""

    root: str = ""
    """Folder with the pictures."""
    labels: str = "labels.txt"
    """The list under root: one line a picture, its name, a space, its text."""
    encoding: str = "auto"
    """Encoding of the list."""


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the lines in the order of the list. InputError where there is no list."""
    root = folder(settings.root)
    path = root / settings.labels
    if not path.is_file():
        raise InputError(f"{path}: no such file; trdg writes it with -na 2, or name it in reader_options.labels")
    for number, row in enumerate(read_text(path, settings.encoding).split("\n"), 1):
        if not row.strip():
            continue
        name, _, text = row.partition(" ")
        if not (root / name).is_file():
            yield Drop("no picture", f"{path.name}:{number}", row[:80])
            continue
        yield RawLine(line_id(name), text, FilePicture(str(root / name)), line_id(name), provenance={"file": name})
