"""What a handwriting reader yields, and how readers open text files of uncertain encoding.

A reader is a file in `readers/` with a dataclass `Settings` (its first field `root`) and a function
`samples(settings) -> Iterator[RawLine | Drop]`. It streams: pictures are opened later, by `RawLine.picture.load()`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from glyphline import images
from glyphline.settings import InputError

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif")
"""Extensions that are taken for pictures, lower case."""


class Picture(Protocol):
    """Where a line's picture comes from."""

    def load(self) -> np.ndarray:
        """Return the line as uint8 `(H, W)` or `(H, W, 3)`. InputError where it cannot be read."""

    def original(self) -> bytes | None:
        """Return the file's own bytes where they are the line and nothing else, else None."""


@dataclass(frozen=True, slots=True)
class FilePicture:
    """A picture file that holds one line."""

    path: str

    def load(self) -> np.ndarray:
        """Read the file."""
        return images.load(self.path)

    def original(self) -> bytes | None:
        """Return the file's bytes."""
        return Path(self.path).read_bytes()


@dataclass(frozen=True, slots=True)
class BytesPicture:
    """A picture file in memory; `name` is for error messages."""

    data: bytes
    name: str

    def load(self) -> np.ndarray:
        """Decode the bytes."""
        return images.load(self.data, self.name)

    def original(self) -> bytes | None:
        """Return the bytes."""
        return self.data


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line as a data set has it, before any check.

    `group` is what must not be in two splits: writer, page or document; `split` is the set's own, empty where it has
    none. `provenance` is JSON-serialisable and goes into the sample.
    """

    id: str
    text: str
    picture: Picture
    group: str
    split: str = ""
    language: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)


_SPLITS = {
    "train": ("train", "training", "tr", "trainset"),
    "validation": ("validation", "valid", "val", "dev", "va", "eval", "validationset1"),
    "test": ("test", "testing", "te", "testset"),
}


def split_name(name: str) -> str:
    """Return train, validation or test for a set's own word for it, '' where it is none."""
    word = name.strip().lower()
    return next((split for split, words in _SPLITS.items() if word in words), "")


def read_text(path: str | Path, encoding: str = "auto") -> str:
    """Read a text file. `auto` takes UTF-8 and UTF-16 with a byte-order mark, UTF-8, then CP949 (Korean Windows).

    InputError names the file and the byte where it is none of them, or where it cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    tried = [encoding] if encoding != "auto" else ["utf-8-sig", "cp949"]
    if encoding == "auto" and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tried = ["utf-16"]
    for name in tried:
        try:
            return data.decode(name).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            first = error
        except LookupError as error:
            raise InputError(f"{path}: no encoding called {name!r}") from error
    raise InputError(f"{path}: not {' or '.join(tried)} (byte {first.start}); name its encoding in reader_options")


def read_table(path: Path, encoding: str = "auto") -> list[dict[str, str]]:
    """Read a table with a header: CSV with quotes, `;` or tabs as the first line has them; keys are stripped.

    Tab-separated files are taken literally: a quotation mark there is text. InputError where it has no header.
    """
    import csv
    import io

    text = read_text(path, encoding)
    head = text.split("\n", 1)[0]
    if not head.strip():
        raise InputError(f"{path}: empty; a header line is needed")
    mark = "\t" if "\t" in head else ";" if head.count(";") > head.count(",") else ","
    quoting = csv.QUOTE_NONE if mark == "\t" else csv.QUOTE_MINIMAL
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=quoting, strict=mark != "\t"))
    except csv.Error as error:
        raise InputError(f"{path}: not a table with quotes that close ({error})") from error
    keys = [key.strip() for key in rows[0]]
    return [dict(zip(keys, row + [""] * (len(keys) - len(row)), strict=False)) for row in rows[1:] if any(row)]


def column(row: dict[str, str], name: str, path: Path) -> str:
    """Return a row's column. InputError names the columns that there are."""
    if name not in row:
        raise InputError(f"{path}: no column {name!r}; it has {', '.join(map(repr, row))}: name it in reader_options")
    return row[name]


def folder(root: str) -> Path:
    """Return the root as a path. InputError where it is not a folder."""
    path = Path(root)
    if not path.is_dir():
        raise InputError(f"{root or '(no root)'}: no such folder; give the data set's folder as --root")
    return path


def pictures(root: Path) -> Iterator[Path]:
    """Yield every picture under a folder, sorted by path."""
    yield from sorted(path for path in root.rglob("*") if path.suffix.lower() in PICTURES)


def line_id(path: Path | str) -> str:
    """Return the id of a line from its picture's relative path: without extension, with forward slashes."""
    return Path(path).with_suffix("").as_posix()
