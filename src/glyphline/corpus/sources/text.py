"""Text files in any language: one document a line, or one a paragraph for books with hard line ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop


@dataclass
class TextFiles(SourceSettings):
    """Settings of the source."""

    encoding: str = "utf-8"
    """Character encoding of the files; a byte-order mark is skipped."""
    unit: Literal["line", "paragraph"] = "line"
    """What a document is: a line, or lines up to an empty one joined by spaces."""


def read(settings: TextFiles, files: Files) -> Iterator[str | Drop]:
    """Yield the documents of all files in order. Empty lines are no documents and no drops."""
    for path in files.paths:
        lines = files.lines(path, settings.encoding)
        if settings.unit == "paragraph":
            lines = _paragraphs(lines)
        yield from (line for line in lines if isinstance(line, Drop) or line.strip())


def _paragraphs(lines: Iterable[str | Drop]) -> Iterator[str | Drop]:
    """Join lines up to an empty one. A line that cannot be decoded ends a paragraph."""
    held: list[str] = []
    for line in lines:
        if isinstance(line, str) and line.strip():
            held.append(line.strip())
            continue
        if held:
            yield " ".join(held)
        held = []
        if isinstance(line, Drop):
            yield line
    if held:
        yield " ".join(held)


SOURCE = Source(TextFiles, read, suffixes=(".txt", ".text"))
