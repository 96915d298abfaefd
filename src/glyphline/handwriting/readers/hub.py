"""A Hugging Face data set with the columns `image` and `text`, by name (`Teklia/IAM-line`) or as local Parquet files.

By name its Parquet files are fetched once into the hub's cache; where the set has none of its own, the ones that the
hub converts it into are taken. The split is what the file's name or folder says. Pictures are opened one by one.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphline import images
from glyphline.handwriting.raw import RawLine, split_name
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class Settings:
    """Which set is read and what its columns are called."""

    root: str = ""
    """A folder of Parquet files, one Parquet file, or the name of a set on the hub."""
    image_column: str = "image"
    """Column with the picture: bytes, or a struct of bytes and path."""
    text_column: str = "text"
    """Column with the text."""
    group_column: str = ""
    """Column with writer, page or document; each line is a group of its own where it is empty."""
    language_column: str = ""
    """Column with the language; the command's language where it is empty."""
    revision: str = ""
    """Branch, tag or commit on the hub."""


@dataclass(frozen=True, slots=True)
class RowPicture:
    """The picture in one row of a Parquet file."""

    path: str
    column: str
    group: int
    row: int

    def original(self) -> bytes:
        """Return the picture's file as it was put in. InputError where the row has none."""
        with _LOCK:
            value = _column(self.path, self.column, self.group)[self.row].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if not data:
            raise InputError(f"{self.path}: row {self.row} of group {self.group} has no picture")
        return data

    def load(self) -> np.ndarray:
        """Decode the row's picture."""
        return images.load(self.original(), f"{Path(self.path).name}: row {self.row} of group {self.group}")


_LOCK = threading.Lock()


@functools.lru_cache(maxsize=2)
def _column(path: str, column: str, group: int) -> object:
    """Return one column of a row group; lines are opened in order, so two are enough."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=[column])[column]


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the rows of every file in order. InputError where there are no files or a column is missing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = _fetched(settings)
    paths = [root] if root.is_file() else sorted(root.rglob("*.parquet"))
    if not paths:
        raise InputError(f"{settings.root}: no Parquet files")
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                _check(file.schema_arrow.names, settings, path)
                yield from _rows(file, path, path.relative_to(root).as_posix() if path != root else path.name, settings)
        except (pa.ArrowInvalid, OSError) as error:
            yield Drop("damaged Parquet", path.name, str(error).splitlines()[0])


def _fetched(settings: Settings) -> Path:
    """Return the local folder or file of the set. InputError where neither the disk nor the hub has it."""
    path = Path(settings.root)
    if path.exists():
        return path
    if settings.root.startswith((".", "/", "~")) or settings.root.count("/") != 1:
        raise InputError(f"{settings.root}: no such folder; give a folder, a Parquet file, or a hub name owner/set")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        for revision in [settings.revision] if settings.revision else [None, "refs/convert/parquet"]:
            folder = snapshot_download(
                settings.root, repo_type="dataset", revision=revision, allow_patterns=["*.parquet", "**/*.parquet"]
            )
            if any(Path(folder).rglob("*.parquet")):
                return Path(folder)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"{settings.root}: no such folder, and the hub answers: {first}") from error
    raise InputError(f"{settings.root}: the hub has no Parquet files of this set; download it and use another reader")


def _check(names: list[str], settings: Settings, path: Path) -> None:
    for name in filter(None, (settings.image_column, settings.text_column, settings.group_column)):
        if name not in names:
            raise InputError(f"{path}: no column {name!r}; it has {', '.join(names)}: name it in reader_options")


def _rows(file: object, path: Path, name: str, settings: Settings) -> Iterator[RawLine]:
    wanted = [settings.text_column, settings.group_column, settings.language_column]
    columns = [column for column in wanted if column]
    own = "split" if "split" in file.schema_arrow.names else ""
    of_file = _split_of(name)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=[*columns, *([own] if own else [])])
        for row, values in enumerate(table.to_pylist()):
            identity = f"{name.removesuffix('.parquet')}/{group:03d}-{row:05d}"
            yield RawLine(
                identity,
                str(values[settings.text_column] or ""),
                RowPicture(str(path), settings.image_column, group, row),
                str(values.get(settings.group_column) or identity),
                split_name(str(values.get(own) or "")) or of_file,
                str(values.get(settings.language_column) or ""),
                {"file": name, "row_group": group, "row": row},
            )


def _split_of(name: str) -> str:
    """Return the split that a file's name (`train-00000-of-00001.parquet`) or one of its folders says."""
    path = Path(name)
    words = [path.stem.split("-")[0], path.stem.split("_")[0], *reversed(path.parts[:-1])]
    return next(filter(None, map(split_name, words)), "")
