"""A folder of pictures and tables: `images/` + `train.csv` with the columns `text,name` (and validation.csv, test.csv).

UTF-8 with or without byte-order mark, UTF-16, CP949; commas, semicolons or tabs; columns may stand in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glyphline.handwriting.raw import PICTURES, FilePicture, RawLine, column, folder, line_id, read_table, split_name
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class Settings:
    """Where the tables and pictures are and what the columns are called."""

    root: str = ""
    """Folder of the set."""
    tables: str = "*.csv"
    """Which files under root are tables (a pattern); `*.tsv` for tab-separated ones. A table called train, validation
    or test (or val, dev) gives its lines that split where there is more than one table."""
    images: str = "images"
    """Folder of the pictures under root; `.` for root itself."""
    text_column: str = "text"
    """Column with the text."""
    name_column: str = "name"
    """Column with the picture's file name; the extension may be missing."""
    group_column: str = "group"
    """Column with writer, page or document; it may be missing: then each line is a group of its own."""
    split_column: str = "split"
    """Column with the split; it may be missing."""
    encoding: str = "auto"
    """Encoding of the tables: auto, utf-8, cp949, …"""


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the lines of every table in order. InputError where there is no table or a column is missing."""
    root = folder(settings.root)
    tables = sorted(root.glob(settings.tables))
    if not tables:
        raise InputError(f"{root}: no table {settings.tables!r}; name it in reader_options.tables")
    for path in tables:
        split = split_name(path.stem) if len(tables) > 1 else ""
        for row in read_table(path, settings.encoding):
            name = column(row, settings.name_column, path).strip()
            text = column(row, settings.text_column, path)
            found = _find(root / settings.images, name)
            if found is None:
                yield Drop("no picture", name, text[:80])
                continue
            yield RawLine(
                line_id(name),
                text,
                FilePicture(str(found)),
                row.get(settings.group_column) or line_id(name),
                split_name(row.get(settings.split_column, "")) or split,
                provenance={"file": found.relative_to(root).as_posix(), "table": path.name},
            )


def _find(images: Path, name: str) -> Path | None:
    """Return the picture of that name, with or without extension; None where there is none."""
    if not name:
        return None
    candidates = (images / name, *(images / f"{name}{end}" for end in PICTURES))
    return next((path for path in candidates if path.is_file()), None)
