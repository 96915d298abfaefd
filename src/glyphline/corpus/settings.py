"""Settings of `glyphline collect`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from glyphline.settings import InputError, execution


@dataclass
class FilterSettings:
    """Which lines are dropped, each with a reason and a count."""

    repeat_limit: int = 10
    """Drop lines that repeat one character more often than this in a row; 0: keep them."""
    script_share: float = 0.3
    """Drop lines of whose letters a smaller share is in the language's scripts; 0: keep them."""
    controls: bool = True
    """Drop lines with control, private-use or unassigned characters."""
    mojibake: Literal["drop", "repair", "keep"] = "drop"
    """Text that was decoded wrongly: drop the line, repair it with ftfy and drop what cannot be, or keep it."""
    markup: bool = True
    """Drop lines with residue of HTML or wiki markup."""
    urls: bool = True
    """Drop lines with web addresses."""

    def __post_init__(self) -> None:
        if self.repeat_limit < 0 or not 0 <= self.script_share <= 1:
            raise ValueError("filters.repeat_limit must be 0 or more, filters.script_share between 0 and 1")


@dataclass
class SplitSettings:
    """Shares of the texts; the rest is for training."""

    validation: float = 0.02
    """Share of the texts in the validation split."""
    test: float = 0.02
    """Share of the texts in the test split."""

    def __post_init__(self) -> None:
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            raise ValueError("split.validation and split.test must be 0 or more and together below 1")


@dataclass
class CollectSettings:
    """What `glyphline collect` takes."""

    output: str = execution("")
    """Folder to write: Parquet shards, manifest.json, SOURCES.md and corpus.html."""
    files: list[str] = field(default_factory=list)
    """Text files to collect, one text a line: the short way for one source of kind `text`."""
    sources: dict[str, dict[str, Any]] | list[dict[str, Any]] = field(default_factory=dict)
    """Label -> a source: {source: KIND, path: FILES, language: CODE, …}; the kind may be the label alone."""
    language: str = ""
    """Language of the texts (ko, en, …) where a source does not say its own."""
    min_graphemes: int = 2
    """Shortest line."""
    max_graphemes: int = 64
    """Longest line; longer sentences are wrapped at word boundaries."""
    filters: FilterSettings = field(default_factory=FilterSettings)
    """What is dropped."""
    split: SplitSettings = field(default_factory=SplitSettings)
    """Train, validation and test, by a hash of the text: a text stays where it is when sources grow."""
    charset_limit: int = 0
    """Keep only lines written in the corpus's most frequent characters, so many of each language; 0: all."""
    max_lines: int = 0
    """Keep a sample of this many lines, by a hash of the text; 0: all."""
    seed: int = 0
    """Seed of the splits and of everything that is drawn."""
    chunk_documents: int = 4096
    """Documents that are worked on and committed together."""
    chunks_per_shard: int = 32
    """Chunks in a Parquet shard."""
    lines_txt: bool = False
    """Also write lines.txt, the texts alone, one a line."""
    list_drops: bool = False
    """Also write drops.jsonl, every dropped item with its reason; the counts are in the manifest in any case."""
    workers: int = execution(0)
    """Processes; 0: one a core."""

    def __post_init__(self) -> None:
        self.sources = _labelled(self.sources)
        if self.files:
            self.sources = {**self.sources, "text": {"source": "text", "path": list(self.files)}}
            self.files = []
        if not 1 <= self.min_graphemes <= self.max_graphemes:
            raise InputError("min_graphemes must be at least 1 and not above max_graphemes")
        if min(self.charset_limit, self.max_lines, self.workers) < 0:
            raise InputError("charset_limit, max_lines and workers must be 0 or more")
        if min(self.chunk_documents, self.chunks_per_shard) < 1:
            raise InputError("chunk_documents and chunks_per_shard must be 1 or more")


def _labelled(sources: dict[str, dict[str, Any]] | list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return sources by label; those of a list are called after their kind, and numbered where a kind repeats."""
    if isinstance(sources, dict):
        return {label: {"source": label} | dict(content or {}) for label, content in sources.items()}
    labelled: dict[str, dict[str, Any]] = {}
    for content in sources:
        kind = str(content.get("source", ""))
        if not kind:
            raise InputError(f"a source without its kind: {content}; add `source: text` or another")
        label, number = kind, 1
        while label in labelled:
            number += 1
            label = f"{kind}{number}"
        labelled[label] = dict(content)
    return labelled
