"""Korean chatbot questions and answers: a CSV with the columns Q, A and label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.corpus.sources.table import rows
from glyphline.records import Drop


@dataclass
class Chatbot(SourceSettings):
    """Settings of the source."""

    encoding: str = "utf-8"
    """Character encoding of the file."""


def read(settings: Chatbot, files: Files) -> Iterator[str | Drop]:
    """Yield all questions, then all answers of each file: apart, as they are texts of different people.

    Repeated ones (an answer serves many questions) are the corpus's exact duplicates and counted there.
    """
    for path in files.paths:
        for column in ("Q", "A"):
            yield from rows(files, path, column, settings.encoding)


SOURCE = Source(
    Chatbot,
    read,
    licence="MIT",
    address="https://github.com/songys/Chatbot_data",
    suffixes=(".csv",),
    language="ko",
)
