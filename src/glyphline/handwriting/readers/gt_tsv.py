"""Line pictures with their texts in tab-separated files or beside them.

Three layouts, told apart by what is there:

- `labels.tsv` with a header: `file<TAB>text<TAB>group` (group optional; a `split` column is used where it is there);
- `gt_*.txt` or `gt.txt`: `file<TAB>text`, no header, several files allowed;
- pairs `x.png` + `x.gt.txt` (the training layout of Tesseract, OCR-D and kraken).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glyphline.handwriting.raw import (
    PICTURES,
    FilePicture,
    RawLine,
    column,
    folder,
    line_id,
    read_table,
    read_text,
    split_name,
)
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class Settings:
    """Where the set is and how its names are to be understood."""

    root: str = ""
    """Folder of the set."""
    labels: str = ""
    """Name of the table under root; found by itself (labels.tsv, gt_*.txt) where it is empty."""
    file_column: str = "file"
    """Column with the picture's path under root."""
    text_column: str = "text"
    """Column with the text."""
    group_column: str = "group"
    """Column with writer, page or document; it may be missing."""
    group_pattern: str = ""
    """Regular expression whose first group, found in the file's name, is the line's group; without one a line of the
    table without a group column belongs to its picture's folder, and `a_12.png` of a pair to `a`."""
    encoding: str = "auto"
    """Encoding of the texts: auto, utf-8, cp949, …"""

    def __post_init__(self) -> None:
        """Check the pattern."""
        try:
            if self.group_pattern and re.compile(self.group_pattern).groups < 1:
                raise InputError(f"group_pattern {self.group_pattern!r} has no (group)")
        except re.error as error:
            raise InputError(f"group_pattern {self.group_pattern!r}: {error}") from error


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the lines of the set in the order of its files. InputError where none of the layouts is there."""
    root = folder(settings.root)
    named = [root / settings.labels] if settings.labels else sorted(root.glob("labels.tsv"))
    if named:
        for path in named:
            yield from _table(path, root, settings)
        return
    lists = sorted({*root.glob("gt_*.txt"), *root.glob("gt.txt")})
    if lists:
        for path in lists:
            yield from _list(path, root, settings)
        return
    pairs = sorted(root.rglob("*.gt.txt"))
    if not pairs:
        raise InputError(f"{root}: no labels.tsv, no gt_*.txt and no *.gt.txt; name the table in reader_options.labels")
    for path in pairs:
        yield _pair(path, root, settings)


def _table(path: Path, root: Path, settings: Settings) -> Iterator[RawLine | Drop]:
    for row in read_table(path, settings.encoding):
        name = column(row, settings.file_column, path)
        text = column(row, settings.text_column, path)
        own = row.get(settings.group_column, "")
        yield _line(root, name, text, own or _group(name, settings), split_name(row.get("split", "")))


def _list(path: Path, root: Path, settings: Settings) -> Iterator[RawLine | Drop]:
    for number, row in enumerate(read_text(path, settings.encoding).split("\n"), 1):
        if not row.strip():
            continue
        name, tab, text = row.partition("\t")
        if not tab:
            yield Drop("no tab between file and text", f"{path.name}:{number}", row[:80])
            continue
        yield _line(root, name.strip(), text, _group(name.strip(), settings), split_name(path.stem[3:]))


def _pair(path: Path, root: Path, settings: Settings) -> RawLine | Drop:
    stem = path.name[: -len(".gt.txt")]
    found = next(
        (
            path.with_name(stem + end)
            for end in (*PICTURES, ".bin.png", ".nrm.png")
            if path.with_name(stem + end).exists()
        ),
        None,
    )
    name = (found or path.with_name(stem)).relative_to(root).as_posix()
    if found is None:
        return Drop("no picture", name, "there is only the text")
    group = _group(name, settings) if settings.group_pattern else re.sub(r"[-_.]?\d+$", "", line_id(name))
    return _line(root, name, read_text(path, settings.encoding).rstrip("\n"), group or line_id(name), "")


def _group(name: str, settings: Settings) -> str:
    """Return the group by pattern, else the picture's folder, else the picture itself."""
    if settings.group_pattern:
        found = re.search(settings.group_pattern, name)
        return found[1] if found else line_id(name)
    parent = Path(name).parent.as_posix()
    return line_id(name) if parent == "." or "/" not in parent and parent in ("lines", "images", "img") else parent


def _line(root: Path, name: str, text: str, group: str, split: str) -> RawLine | Drop:
    if not (root / name).is_file():
        return Drop("no picture", name, text[:80])
    return RawLine(line_id(name), text, FilePicture(str(root / name)), group, split, provenance={"file": name})
