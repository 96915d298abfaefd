"""A column of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop
from glyphline.settings import InputError, suggest

ROWS_AT_ONCE = 4096


@dataclass
class ParquetFiles(SourceSettings):
    """Settings of the source."""

    column: str = "text"
    """Column with the text; a field inside a struct as `article.body`."""


def read(settings: ParquetFiles, files: Files) -> Iterator[str | Drop]:
    """Yield the column of all files in order; a null is a Drop."""
    for path in files.paths:
        yield from _column(files, path, settings.column)


def _column(files: Files, path: str, column: str) -> Iterator[str | Drop]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(files.whole(path)) as table:
            names = [table.schema.column(index).path for index in range(len(table.schema))]
            if column not in names:
                raise InputError(f"{path}: no column {column!r}{suggest(column, names)}")
            for batch in table.iter_batches(ROWS_AT_ONCE, columns=[column]):
                array = batch.column(0)
                for name in column.split(".")[1:]:
                    array = array.field(name)
                for value in array.to_pylist():
                    number += 1
                    if isinstance(value, str) and value.strip():
                        yield value
                    else:
                        yield Drop("missing_field" if value is None else "empty", f"{path}#{number - 1}", column)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not Parquet, or damaged ({str(error).splitlines()[0]})") from error


SOURCE = Source(ParquetFiles, read, suffixes=(".parquet",))
