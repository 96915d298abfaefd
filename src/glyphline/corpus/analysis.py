"""One chunk of documents into lines: normalise, cut, filter. Runs in worker processes, one chunk at a time."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import regex

from glyphline.corpus.filters import Judge, other_language
from glyphline.corpus.generated import Inventor
from glyphline.corpus.making import KINDS, Maker, Wrapper
from glyphline.corpus.personal import has_personal_data, mask
from glyphline.corpus.plan import Chunk, PlannedSource
from glyphline.corpus.settings import CollectSettings
from glyphline.corpus.similarity import bands
from glyphline.languages import Language
from glyphline.manifest import PROGRESS, Storage, pretty
from glyphline.plugins import load
from glyphline.records import Drop
from glyphline.seeds import rng
from glyphline.text import count_graphemes, detokenise, normalise

EXAMPLES = 5
"""Dropped items a chunk remembers for the report, per reason."""


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
        texts = [text for document in documents for text in self._paragraphs(document, done)]
        for sentences in self._sentences(texts):
            done.counts["sentences"] += len(sentences)
            accepted = [sentence for sentence in sentences if self._accept(sentence, done)]
            if accepted:
                self._keep(accepted, generator, done)
        self._invent(generator, done)
        return done

    def _paragraphs(self, document: str, done: Analysed) -> Iterator[str]:
        """Yield a document's paragraphs, normalised, personal data masked where that is asked for."""
        if self.source.plugin.clean:
            document = self.source.plugin.clean(document)
        for paragraph in _LINE_END.split(document):
            if _SURROGATE.search(paragraph):
                # Half a character, from broken JSON: cannot be written as UTF-8, nor analysed.
                whole = paragraph.encode("utf-8", "replace").decode()
                done.drops.append(Drop("undecodable", whole, self.source.label))
                continue
            if self.settings.filters.mojibake == "repair" and not paragraph.isascii():
                paragraph = _repair(paragraph, done.counts)
            text = normalise(paragraph, self.language.rules)
            if self.source.settings.detokenise:
                text = detokenise(text)
            if self.source.personal_data == "mask":
                text, places = mask(text)
                done.counts["masked"] += places
            if self.foreign and (reason := self.foreign(text)):
                done.drops.append(Drop(reason, text, self.source.label))
            elif text:
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
            yield [text] if kept else next(cut)

    def _accept(self, sentence: str, done: Analysed) -> bool:
        """Tell whether a sentence passes the filters; if not, note why."""
        if self.source.personal_data == "drop" and has_personal_data(sentence):
            reason = "personal_data"
        else:
            reason = self.judge(sentence)
        if reason:
            done.drops.append(Drop(reason, sentence, self.source.label))
        return not reason

    def _keep(self, sentences: Sequence[str], generator: np.random.Generator, done: Analysed) -> None:
        """Make a paragraph's sentences into lines, each kept or dropped."""
        for line, kind in self.maker.make(sentences, generator):
            length = count_graphemes(line)
            if length < self.shortest:
                reason = "too_short"
            elif length > self.settings.max_graphemes:
                reason = "too_long"
            else:
                # What may stand in a sentence may not stand alone as a line: "—" or a foreign name.
                reason = "" if kind == "whole" else self.judge(line)
            if reason:
                done.drops.append(Drop(reason, line, self.source.label))
            else:
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


def store(storage: Storage, chunk: Chunk, done: Analysed, language: str, settings: CollectSettings) -> None:
    """Write a chunk's lines, their hashes and, last, its facts: what a rerun finds and does not do again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = chunk_name(chunk.index)
    sink = io.BytesIO()
    columns = {"text": pa.array(done.lines, pa.string()), "kind": pa.array(done.kinds, pa.int8())}
    pq.write_table(pa.table(columns), sink, compression="zstd")
    storage.write(f"{name}.parquet", sink.getvalue())
    hashes = np.frombuffer(b"".join(map(text_hash, done.lines)), dtype=np.uint64).reshape(-1, 2)
    storage.write(f"{name}.hashes", hashes.tobytes())
    if settings.filters.near_duplicates:
        storage.write(f"{name}.bands", bands(done.lines).tobytes())
    reasons = Counter(drop.reason for drop in done.drops)
    if settings.list_drops and done.drops:
        rows = "".join(json.dumps(asdict(drop), ensure_ascii=False) + "\n" for drop in done.drops)
        storage.write(f"{name}.drops", rows.encode())
    facts = {"source": chunk.source, "language": language, "counts": dict(done.counts), "drops": dict(reasons)}
    storage.write(f"{name}.json", pretty(facts | {"examples": _examples(done.drops)}).encode())


def _examples(drops: Sequence[Drop]) -> dict[str, list[str]]:
    """Return the first few dropped items of each reason."""
    examples: dict[str, list[str]] = {}
    for drop in drops:
        held = examples.setdefault(drop.reason, [])
        if len(held) < EXAMPLES:
            held.append(drop.item[:200])
    return examples
