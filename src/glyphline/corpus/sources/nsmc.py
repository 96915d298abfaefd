"""Naver sentiment movie corpus: the ratings files (TSV) and the folder of raw reviews (JSON, one film a file)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.corpus.sources.jsonl import records
from glyphline.corpus.sources.table import rows
from glyphline.records import Drop


@dataclass
class Reviews(SourceSettings):
    """Settings of the source."""


def read(settings: Reviews, files: Files) -> Iterator[str | Drop]:
    """Yield the reviews of all files in order: .json as raw films, .txt and .tsv as ratings files."""
    for path in files.paths:
        if ".json" in path:
            yield from _film(files, path)
        else:
            yield from rows(files, path, "document", "utf-8", "\t")


def _film(files: Files, path: str) -> Iterator[str | Drop]:
    reviews = records(files, path, "utf-8")
    for number, review in enumerate(reviews):
        text = review.get("review") if isinstance(review, dict) else None
        if not isinstance(text, str):
            yield Drop("missing_field", f"{path}#{number}", "review")
        elif text.strip():
            yield text
        else:
            yield Drop("empty", f"{path}#{number}", "review")


SOURCE = Source(
    Reviews,
    read,
    licence="CC0-1.0",
    address="https://github.com/e9t/nsmc",
    suffixes=(".json", ".txt", ".tsv"),
    language="ko",
    personal_data="mask",
)
