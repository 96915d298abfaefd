"""A column of CSV or TSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop
from glyphline.settings import InputError, suggest


@dataclass
class Table(SourceSettings):
    """Settings of the source."""

    column: str = "text"
    """Name of the column with the text."""
    delimiter: str = ""
    """What stands between fields; empty: a tab in .tsv and .txt files, else a comma."""
    encoding: str = "utf-8"
    """Character encoding of the files."""


def rows(files: Files, path: str, column: str, encoding: str, delimiter: str = "") -> Iterator[str | Drop]:
    """Yield one column of one file. InputError where the column is missing; a row without the field is a Drop."""
    csv.field_size_limit(2**31 - 1)
    tabs = ".tsv" in path or ".txt" in path
    handle = files.text(path, encoding)
    delimiter = delimiter or ("\t" if tabs else ",")
    # Published TSVs of reviews do not quote: a lone quotation mark would swallow the rows after it.
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    reader = csv.DictReader(handle, delimiter=delimiter, quoting=quoting)
    if column not in (reader.fieldnames or []):
        raise InputError(f"{path}: no column {column!r}{suggest(column, list(reader.fieldnames or []))}")
    for row in reader:
        value = row[column]
        if value is None:
            yield Drop("missing_field", f"{path}:{reader.line_num}", column)
        elif value.strip():
            yield value
        else:
            yield Drop("empty", f"{path}:{reader.line_num}", column)


def read(settings: Table, files: Files) -> Iterator[str | Drop]:
    """Yield the column of all files in order."""
    for path in files.paths:
        yield from rows(files, path, settings.column, settings.encoding, settings.delimiter)


SOURCE = Source(Table, read, suffixes=(".csv", ".tsv"))
