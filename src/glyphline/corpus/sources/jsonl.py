"""A field of JSON records: JSON Lines, or JSON files with one list or one record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop
from glyphline.settings import InputError

BLOCK_CHARACTERS = 1 << 20
_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[\s,]*")


@dataclass
class Records(SourceSettings):
    """Settings of the source."""

    field: str = "text"
    """Path to the text in a record: `text`, `article.body`, or `paragraphs[].text` for every member of a list."""
    encoding: str = "utf-8"
    """Character encoding of the files."""


def read(settings: Records, files: Files) -> Iterator[str | Drop]:
    """Yield the field of all records of all files in order; a record without it is a Drop."""
    steps = settings.field.replace("[]", ".[]").split(".")
    for path in files.paths:
        for number, record in enumerate(records(files, path, settings.encoding)):
            if isinstance(record, Drop):
                yield record
                continue
            found = [text for text in _follow(record, steps) if isinstance(text, str)]
            if not found:
                yield Drop("missing_field", f"{path}#{number}", settings.field)
            for text in found:
                yield text if text.strip() else Drop("empty", f"{path}#{number}", settings.field)


def _follow(value: Any, steps: list[str]) -> Iterator[Any]:  # noqa: ANN401
    """Yield what lies at the end of a path."""
    if not steps:
        yield value
    elif steps[0] == "[]":
        for member in value if isinstance(value, list) else ():
            yield from _follow(member, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _follow(value[steps[0]], steps[1:])


def records(files: Files, path: str, encoding: str) -> Iterator[Any]:
    """Yield the records of a file: one a line in JSON Lines, else the members of a list, or the one value there is.

    A line that is not JSON is a Drop unless it is the first; neither form is ever held in memory as a whole.
    """
    if not any(ending in path for ending in (".jsonl", ".ndjson")):
        yield from _members(files.text(path, encoding), path)
        return
    for number, line in enumerate(files.lines(path, encoding), 1):
        if isinstance(line, Drop) or not line.strip():
            yield from [line] if isinstance(line, Drop) else []
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            if number == 1:
                raise InputError(f"{path}:1: not JSON ({error})") from error
            yield Drop("not_json", f"{path}:{number}", str(error))


def _members(handle: IO[str], path: str) -> Iterator[Any]:
    """Yield the members of a JSON list block by block, or a single value."""
    buffer = handle.read(BLOCK_CHARACTERS).lstrip()
    if not buffer.startswith("["):
        yield _whole(buffer + handle.read(), path)
        return
    place = 1
    while True:
        place = _GAP.match(buffer, place).end()
        if buffer.startswith("]", place):
            return
        try:
            value, end = _DECODER.raw_decode(buffer, place)
            if end == len(buffer):
                raise ValueError("not closed")
        except ValueError as error:
            block = handle.read(max(BLOCK_CHARACTERS, len(buffer) - place))
            if not block:
                raise InputError(f"{path}: not JSON, or cut off ({error})") from error
            buffer, place = buffer[place:] + block, 0
            continue
        yield value
        place = end


def _whole(text: str, path: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from error


SOURCE = Source(Records, read, suffixes=(".json", ".jsonl", ".ndjson"))
