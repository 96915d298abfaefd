"""Settings of `glyphline collect`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from glyphline.settings import InputError, execution


@dataclass
class FilterSettings:
    """Which lines are dropped, each with a reason and a count."""

    repeat_limit: int = 10
    """Drop lines that repeat one character more often than this in a row; 0: keep them."""
    script_share: float = 0.2
    """Drop lines of whose letters a smaller share is in the language's scripts; 0: keep them.

    Low, as a word has more letters in Latin than in Hangul or Han: "Scary보다는 Creepy!" is Korean."""
    controls: bool = True
    """Drop lines with control, private-use or unassigned characters."""
    mojibake: Literal["drop", "repair", "keep"] = "drop"
    """Text that was decoded wrongly: drop the line, repair it with ftfy and drop what cannot be, or keep it."""
    markup: bool = True
    """Drop lines with residue of HTML or wiki markup."""
    urls: bool = True
    """Drop lines with web addresses."""
    language_probability: float = 0.0
    """Drop paragraphs that py3langid (extra `lang`) finds to be in the language with less than this; 0: do not ask."""
    profanity: str = ""
    """File of words, one a line, that no line may hold; empty: none."""
    fonts: list[str] = field(default_factory=list)
    """Font files: drop lines with a character that none of them has; empty: do not ask."""
    near_duplicates: float = 0.0
    """Drop lines that share at least this part of their three-letter groups with an earlier one; 0: keep them."""

    def __post_init__(self) -> None:
        if self.repeat_limit < 0 or not 0 <= self.script_share <= 1:
            raise ValueError("filters.repeat_limit must be 0 or more, filters.script_share between 0 and 1")
        if not (0 <= self.language_probability <= 1 and 0 <= self.near_duplicates <= 1):
            raise ValueError("filters.language_probability and filters.near_duplicates must be between 0 and 1")


@dataclass
class LineMix:
    """What the lines are, in shares of each other. By default every sentence is a line, and only long ones are cut."""

    whole: float = 1.0
    """Whole sentences; those longer than a line are wrapped."""
    wrapped: float = 0.0
    """Paragraphs wrapped to a column, as in documents: lines begin and end within sentences."""
    phrase: float = 0.0
    """A few words each: sentences cut into short pieces."""
    number: float = 0.0
    """Generated numbers, amounts, shares and times in the language's own form."""
    date: float = 0.0
    """Generated dates in the language's own form."""
    address: float = 0.0
    """Generated postal addresses with words of the corpus."""
    mixed: float = 0.0
    """Words of the corpus with a number, an abbreviation or a sign of another script among them."""

    def __post_init__(self) -> None:
        if min(vars(self).values()) < 0 or self.natural <= 0:
            raise ValueError("shares of mix must be 0 or more, and one of whole, wrapped and phrase above 0")

    @property
    def natural(self) -> float:
        """Share of the lines that are cut from texts."""
        return self.whole + self.wrapped + self.phrase

    @property
    def generated(self) -> dict[str, float]:
        """Shares of the generated kinds, in relation to the natural lines."""
        shares = {kind: getattr(self, kind) / self.natural for kind in ("number", "date", "address", "mixed")}
        return {kind: share for kind, share in shares.items() if share}


@dataclass
class CoverageSettings:
    """Which characters must occur how often."""

    minimum: int = 0
    """Every wanted character stands in at least this many lines; 0: take what comes."""
    characters: str = "corpus"
    """Wanted: `corpus`, all that occur before lines are sampled; `hangul`, all 11,172 syllables; `ksx1001`, the usual
    2,350; or the characters."""
    language: str = ""
    """Language of the generated lines; empty: the first source's."""

    def __post_init__(self) -> None:
        if self.minimum < 0 or not self.characters:
            raise ValueError("coverage.minimum must be 0 or more, coverage.characters must not be empty")


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
    mix: LineMix = field(default_factory=LineMix)
    """What the lines are: sentences, wrapped paragraphs, phrases, generated numbers, dates, addresses, …"""
    coverage: CoverageSettings = field(default_factory=CoverageSettings)
    """Rare characters are raised to a minimum by choosing lines that hold them, then by generated lines."""
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
    shards: str = execution("")
    """a-b/n: work on this part of the chunks only, one part a machine; a last run without it puts all together."""

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
        self.part()

    def part(self) -> tuple[int, int, int]:
        """Return first, last and number of parts that `shards` asks for. InputError where it is not a-b/n."""
        found = re.fullmatch(r"(\d+)(?:-(\d+))?/(\d+)", self.shards or "0-0/1")
        first, last, of = (int(found[1]), int(found[2] or found[1]), int(found[3])) if found else (1, 0, 0)
        if not first <= last < of:
            raise InputError(f"shards must be a-b/n with a <= b < n, such as 0-3/16, not {self.shards!r}")
        return first, last, of


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
