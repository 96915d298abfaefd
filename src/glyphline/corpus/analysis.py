"""One chunk of documents into lines: normalise, cut, filter. Runs in worker processes, one chunk at a time."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import regex

from glyphline.corpus.batch import Batch
from glyphline.corpus.filters import Judge, other_language
from glyphline.corpus.generated import Inventor
from glyphline.corpus.making import KINDS, Maker, Wrapper
from glyphline.corpus.personal import has_personal_data, mask_all, suspects
from glyphline.corpus.plan import Chunk, PlannedSource
from glyphline.corpus.settings import CollectSettings, SplitSettings
from glyphline.corpus.similarity import BANDS, bands, skeleton, skeletons
from glyphline.languages import Language
from glyphline.manifest import PROGRESS, Storage
from glyphline.plugins import load
from glyphline.records import SPLITS, Drop
from glyphline.seeds import rng, shares
from glyphline.text import detokenise, normalise_all

FACTS = b"facts"
"""Where a chunk's file keeps what is told of it."""
COLUMNS = ["text", "kind", "split", "first", "second", *(f"band{number}" for number in range(BANDS))]
"""Of a chunk's file: each line, how it was made, where it goes, both halves of its hash, and its bands if wanted."""
EXAMPLES = 5
"""Dropped items a chunk remembers for the report, per reason."""


WHOLE = KINDS.index("whole")


@dataclass
class Analysed:
    """What became of a chunk."""

    lines: list[str] = field(default_factory=list)
    """Texts in order."""
    kinds: list[int] = field(default_factory=list)
    """How each was made: its place in KINDS."""
    counts: Counter = field(default_factory=Counter)
    """Documents, sentences, places masked or repaired."""
    drops: list[Drop] = field(default_factory=list)
    """Everything that was left out."""

    def keep(self, line: str, kind: str) -> None:
        """Add a line."""
        self.lines.append(line)
        self.kinds.append(KINDS.index(kind))


class Analyser:
    """Turns the documents of one source into lines."""

    def __init__(self, source: PlannedSource, settings: CollectSettings) -> None:
        self.source, self.settings = source, settings
        self.language: Language = load("language", source.language).LANGUAGE
        self.shortest = source.settings.min_graphemes or settings.min_graphemes
        self.judge = Judge(settings.filters, self.language)
        wrap = Wrapper(self.language, self.shortest, settings.max_graphemes)
        self.maker = Maker(wrap, settings.mix)
        probability = settings.filters.language_probability
        self.foreign = other_language(self.language, probability) if probability else None

    def warm_up(self) -> None:
        """Load the sentence splitter's model; before a fork, so that the processes share it."""
        list(self.language.split_sentences([self.language.samples[0]]))

    def analyse(self, documents: Sequence[str], drops: Sequence[Drop] = (), index: int = 0) -> Analysed:
        """Return the lines of the documents of chunk `index`, and what was dropped with its reasons."""
        done = Analysed(drops=list(drops))
        done.counts["documents"] = len(documents) + len(drops)
        self.maker.begin()
        generator = rng(self.settings.seed, "lines", self.source.label, index)
        # One step after the other for the whole chunk: each has its tables and code at hand, and asks of all at once.
        paragraphs = list(self._sentences(self._paragraphs(documents, done)))
        batch = Batch([sentence for sentences in paragraphs for sentence in sentences])
        done.counts["sentences"] = len(batch)
        self._keep(paragraphs, self._reasons(batch), batch.lengths().tolist(), generator, done)
        self._invent(generator, done)
        return done

    def _paragraphs(self, documents: Sequence[str], done: Analysed) -> list[str]:
        """Return the documents' paragraphs, normalised, personal data masked where that is asked for."""
        if self.source.plugin.clean:
            documents = [self.source.plugin.clean(document) for document in documents]
        texts = self._split(documents, done)
        if self.settings.filters.mojibake == "repair":
            texts = [text if text.isascii() else _repair(text, done.counts) for text in texts]
        texts = normalise_all(texts, self.language.rules)
        if self.source.settings.detokenise:
            texts = [detokenise(text) for text in texts]
        if self.source.personal_data == "mask":
            texts, places = mask_all(texts)
            done.counts["masked"] += places
        if self.foreign:
            texts = [text for text in texts if not self._drop(self.foreign(text), text, done)]
        return [text for text in texts if text]

    def _split(self, documents: Sequence[str], done: Analysed) -> list[str]:
        """Return the documents' paragraphs; one with half a character is dropped."""
        joined = "".join(documents)
        texts = list(documents)
        if _LINE_END.search(joined):
            texts = [text for document in documents for text in _LINE_END.split(document)]
        if not _SURROGATE.search(joined):
            return texts
        # Half a character, from broken JSON: cannot be written as UTF-8, nor analysed.
        for text in filter(_SURROGATE.search, texts):
            self._drop("undecodable", text.encode("utf-8", "replace").decode(), done)
        return [text for text in texts if not _SURROGATE.search(text)]

    def _drop(self, reason: str, text: str, done: Analysed) -> bool:
        """Note a drop where there is a reason; tells whether there was."""
        if reason:
            done.drops.append(Drop(reason, text, self.source.label))
        return bool(reason)

    def _sentences(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield each text's sentences; a text that the source wants whole is its own only sentence."""
        limit = self.source.settings.keep_whole_below
        if not limit:
            yield from self.language.split_sentences(texts)
            return
        whole = (Batch(texts).lengths() < limit).tolist()
        cut = self.language.split_sentences([text for text, kept in zip(texts, whole, strict=True) if not kept])
        for text, kept in zip(texts, whole, strict=True):
            yield [text] if kept else next(cut)

    def _reasons(self, batch: Batch) -> list[str]:
        """Return why each sentence is dropped, '' where all filters keep it."""
        reasons = self.judge.all(batch)
        if self.source.personal_data == "drop":
            for number in np.flatnonzero(suspects(batch)).tolist():
                if has_personal_data(batch.texts[number]):
                    reasons[number] = "personal_data"
        return reasons

    def _keep(
        self,
        paragraphs: Sequence[Sequence[str]],
        reasons: Sequence[str],
        lengths: Sequence[int],
        generator: np.random.Generator,
        done: Analysed,
    ) -> None:
        """Make each paragraph's sentences into lines, each kept or dropped."""
        longest = self.settings.max_graphemes if self.maker.only == "whole" else 0
        lines = [not why and self.shortest <= size <= longest for why, size in zip(reasons, lengths, strict=True)]
        end = 0
        for sentences in paragraphs:
            start, end = end, end + len(sentences)
            if all(lines[start:end]):
                # The usual case: every sentence is a line as it stands.
                done.lines += sentences
                done.kinds += [WHOLE] * len(sentences)
                continue
            accepted = [
                (sentence, length)
                for sentence, length, reason in zip(sentences, lengths[start:end], reasons[start:end], strict=True)
                if not self._drop(reason, sentence, done)
            ]
            for line, kind, length in self.maker.make(accepted, generator) if accepted else ():
                self._add(line, kind, length, done)

    def _add(self, line: str, kind: str, length: int, done: Analysed) -> None:
        """Keep or drop a line of so many graphemes."""
        if length < self.shortest:
            reason = "too_short"
        elif length > self.settings.max_graphemes:
            reason = "too_long"
        else:
            # What may stand in a sentence may not stand alone as a line: "—" or a foreign name.
            reason = "" if kind == "whole" else self.judge(line)
        if not self._drop(reason, line, done):
            done.keep(line, kind)

    def _invent(self, generator: np.random.Generator, done: Analysed) -> None:
        """Add generated lines in their shares of the natural ones, with words of this chunk."""
        shares = self.settings.mix.generated
        words = words_of(done.lines, self.language) if shares else []
        if not words:
            return
        inventor = Inventor(self.language, self.shortest, self.settings.max_graphemes)
        natural = len(done.lines)
        for kind, share in shares.items():
            for _ in range(round(share * natural)):
                if line := inventor.invent(kind, generator, words):
                    done.keep(line, kind)


def words_of(lines: Sequence[str], language: Language) -> list[str]:
    """Return the words of lines in order, bare of punctuation; pieces of two characters where there are no spaces."""
    words: list[str] = []
    for line in lines:
        found = _WORD.findall(line)
        words += found if language.spaces else [piece for word in found for piece in _PAIR.findall(word)]
    return words


def _repair(text: str, counts: Counter) -> str:
    """Undo a wrong decoding where ftfy is sure of it."""
    from ftfy import fix_encoding

    repaired = fix_encoding(text)
    counts["repaired"] += repaired != text
    return repaired


# Not str.splitlines: the control character U+0085 is half a letter in text that was decoded wrongly.
_LINE_END = re.compile(r"[\r\n\v\f\u2028\u2029]+")
_SURROGATE = regex.compile(r"[\ud800-\udfff]")
_WORD = regex.compile(r"[\p{L}\p{M}]{2,}")
_PAIR = regex.compile(r"\X{2}")


def text_hash(text: str) -> bytes:
    """Return the 128 bits by which exact duplicates are found and lines are named."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def chunk_name(index: int) -> str:
    """Return the name under which a chunk's lines are kept until the corpus is finished."""
    return f"{PROGRESS}/chunks/{index:07d}"


def is_stored(storage: Storage, index: int) -> bool:
    """Tell whether a chunk is done: its file is written whole or not at all."""
    return storage.exists(f"{chunk_name(index)}.arrow")


def read_chunk(storage: Storage, index: int, columns: Sequence[str]) -> Any:  # noqa: ANN401
    """Return columns of a chunk as an Arrow table, with its facts in the metadata; no other column is read."""
    import pyarrow as pa

    with storage.files.open(storage.path(f"{chunk_name(index)}.arrow"), "rb") as handle:
        options = pa.ipc.IpcReadOptions(included_fields=[COLUMNS.index(name) for name in columns], use_threads=False)
        return pa.ipc.open_file(handle, options=options).read_all()


def split_of(text: str, seed: int, split: SplitSettings) -> str:
    """Return the split of a text, from a hash of its letters and digits.

    Texts that differ in nothing but punctuation, spaces and case fall into the same split.
    """
    return SPLITS[splits_of([skeleton(text)], seed, split)[0]]


def splits_of(bare: Sequence[str], seed: int, split: SplitSettings) -> list[int]:
    """Return the splits of texts from their skeletons, as places in SPLITS."""
    train, validation, test = range(len(SPLITS))
    either = split.test + split.validation
    return [test if x < split.test else validation if x < either else train for x in shares(seed, "split", bare)]


def store(storage: Storage, chunk: Chunk, done: Analysed, language: str, settings: CollectSettings) -> None:
    """Write a chunk as one Arrow file, its facts in the metadata: what a rerun finds and does not do again."""
    import pyarrow as pa

    name = chunk_name(chunk.index)
    bare = skeletons(done.lines)
    hashes = np.frombuffer(b"".join(map(text_hash, done.lines)), dtype=np.uint64).reshape(-1, 2)
    splits = splits_of(bare, settings.seed, settings.split)
    columns = [pa.array(done.lines, pa.string()), pa.array(done.kinds, pa.int8()), pa.array(splits, pa.int8())]
    columns += [pa.array(half) for half in hashes.T]
    if settings.filters.near_duplicates:
        columns += [pa.array(values) for values in bands(bare).T]
    if settings.list_drops and done.drops:
        rows = "".join(json.dumps(asdict(drop), ensure_ascii=False) + "\n" for drop in done.drops)
        storage.write(f"{name}.drops", rows.encode())
    reasons = Counter(drop.reason for drop in done.drops)
    facts = {"source": chunk.source, "language": language, "counts": dict(done.counts), "drops": dict(reasons)}
    facts["examples"] = _examples(done.drops)
    table = pa.table(columns, COLUMNS[: len(columns)], metadata={FACTS: json.dumps(facts)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    storage.write(f"{name}.arrow", sink.getvalue())


def _examples(drops: Sequence[Drop]) -> dict[str, list[str]]:
    """Return the first few dropped items of each reason."""
    examples: dict[str, list[str]] = {}
    for drop in drops:
        held = examples.setdefault(drop.reason, [])
        if len(held) < EXAMPLES:
            held.append(drop.item[:200])
    return examples
