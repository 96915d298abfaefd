"""One chunk of documents into lines: normalise, cut, filter. Runs in worker processes, one chunk at a time."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from glyphline.corpus.filters import Judge
from glyphline.corpus.making import Wrapper
from glyphline.corpus.personal import has_personal_data, mask
from glyphline.corpus.plan import Chunk, PlannedSource
from glyphline.corpus.settings import CollectSettings
from glyphline.languages import Language
from glyphline.manifest import PROGRESS, Storage, pretty
from glyphline.plugins import load
from glyphline.records import Drop
from glyphline.text import count_graphemes, normalise

EXAMPLES = 5
"""Dropped items a chunk remembers for the report, per reason."""


@dataclass
class Analysed:
    """What became of a chunk."""

    lines: list[str] = field(default_factory=list)
    """Texts in order."""
    counts: Counter = field(default_factory=Counter)
    """Documents, sentences, masked places, lines by how they were made."""
    drops: list[Drop] = field(default_factory=list)
    """Everything that was left out."""


class Analyser:
    """Turns the documents of one source into lines."""

    def __init__(self, source: PlannedSource, settings: CollectSettings) -> None:
        self.source, self.settings = source, settings
        self.language: Language = load("language", source.language).LANGUAGE
        self.shortest = source.settings.min_graphemes or settings.min_graphemes
        self.judge = Judge(settings.filters, self.language)
        self.wrap = Wrapper(self.language, self.shortest, settings.max_graphemes)

    def warm_up(self) -> None:
        """Load the sentence splitter's model; before a fork, so that the processes share it."""
        list(self.language.split_sentences([self.language.samples[0]]))

    def analyse(self, documents: Sequence[str], drops: Sequence[Drop] = ()) -> Analysed:
        """Return the lines of the documents, and what was dropped with its reasons."""
        done = Analysed(drops=list(drops))
        done.counts["documents"] = len(documents) + len(drops)
        texts = [text for document in documents for text in self._paragraphs(document, done)]
        for sentences in self._sentences(texts):
            done.counts["sentences"] += len(sentences)
            for sentence in sentences:
                self._keep(sentence, done)
        done.counts["lines"] = len(done.lines)
        return done

    def _paragraphs(self, document: str, done: Analysed) -> Iterator[str]:
        """Yield a document's paragraphs, normalised, personal data masked where that is asked for."""
        if self.source.plugin.clean:
            document = self.source.plugin.clean(document)
        for paragraph in document.splitlines():
            if self.settings.filters.mojibake == "repair" and not paragraph.isascii():
                paragraph = _repair(paragraph, done.counts)
            text = normalise(paragraph, self.language.rules)
            if self.source.personal_data == "mask":
                text, places = mask(text)
                done.counts["masked"] += places
            if text:
                yield text

    def _sentences(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield each text's sentences; a text that the source wants whole is its own only sentence."""
        limit = self.source.settings.keep_whole_below
        if not limit:
            yield from self.language.split_sentences(texts)
            return
        whole = [count_graphemes(text) < limit for text in texts]
        cut = self.language.split_sentences([text for text, kept in zip(texts, whole, strict=True) if not kept])
        for text, kept in zip(texts, whole, strict=True):
            yield [text] if kept else next(iter(cut))

    def _keep(self, sentence: str, done: Analysed) -> None:
        """Put a sentence's lines where they belong: kept or dropped."""
        if reason := self._refusal(sentence):
            done.drops.append(Drop(reason, sentence, self.source.label))
            return
        whole = count_graphemes(sentence) <= self.settings.max_graphemes
        for line in [sentence] if whole else self.wrap(sentence):
            length = count_graphemes(line)
            reason = "too_short" if length < self.shortest else ""
            reason = "too_long" if length > self.settings.max_graphemes else reason
            # What may stay in a sentence may not stand alone as a line: "." or a foreign name.
            reason = reason or ("" if whole else self.judge(line))
            if reason:
                done.drops.append(Drop(reason, line, self.source.label))
                continue
            done.lines.append(line)
            done.counts["whole" if whole else "wrapped"] += 1

    def _refusal(self, sentence: str) -> str:
        if self.source.personal_data == "drop" and has_personal_data(sentence):
            return "personal_data"
        return self.judge(sentence)


def _repair(text: str, counts: Counter) -> str:
    """Undo a wrong decoding where ftfy is sure of it."""
    from ftfy import fix_encoding

    repaired = fix_encoding(text)
    counts["repaired"] += repaired != text
    return repaired


def text_hash(text: str) -> bytes:
    """Return the 128 bits by which exact duplicates are found and lines are named."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def chunk_name(index: int) -> str:
    """Return the name under which a chunk's lines are kept until the corpus is finished."""
    return f"{PROGRESS}/chunks/{index:07d}"


def store(storage: Storage, chunk: Chunk, done: Analysed, *, list_drops: bool) -> None:
    """Write a chunk's lines, their hashes and, last, its facts: what a rerun finds and does not do again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = chunk_name(chunk.index)
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(done.lines, pa.string())}), sink, compression="zstd")
    storage.write(f"{name}.parquet", sink.getvalue())
    hashes = np.frombuffer(b"".join(map(text_hash, done.lines)), dtype=np.uint64).reshape(-1, 2)
    storage.write(f"{name}.hashes", hashes.tobytes())
    reasons = Counter(drop.reason for drop in done.drops)
    if list_drops and done.drops:
        rows = "".join(json.dumps(asdict(drop), ensure_ascii=False) + "\n" for drop in done.drops)
        storage.write(f"{name}.drops", rows.encode("utf-8", "surrogatepass"))
    facts = {"source": chunk.source, "counts": dict(done.counts), "drops": dict(reasons)}
    storage.write(f"{name}.json", pretty(facts | {"examples": _examples(done.drops)}).encode("utf-8", "replace"))


def _examples(drops: Sequence[Drop]) -> dict[str, list[str]]:
    """Return the first few dropped items of each reason."""
    examples: dict[str, list[str]] = {}
    for drop in drops:
        held = examples.setdefault(drop.reason, [])
        if len(held) < EXAMPLES:
            held.append(drop.item[:200])
    return examples
