"""From sentences to lines: whole, wrapped to a column, or cut into phrases, in set proportions."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from glyphline.corpus.settings import LineMix
from glyphline.languages import Language
from glyphline.text import count_graphemes

KINDS = ("whole", "wrapped", "phrase", "number", "date", "address", "mixed", "coverage")
"""What a line can be; the last one is made to raise rare characters."""

PHRASE_WORDS, PHRASE_GRAPHEMES = 4, 8
"""Longest phrase: words, or graphemes in a language without spaces."""
NARROWEST = 0.4
"""Narrowest column that a paragraph is wrapped to, as a share of the longest line."""


class Wrapper:
    """Cuts texts of one language into lines of at most `longest` graphemes, if possible none below `shortest`."""

    def __init__(self, language: Language, shortest: int, longest: int) -> None:
        from glyphline.languages._cutting import line_break_units

        self.shortest, self.longest, self.spaces = shortest, longest, language.spaces
        self.break_units = language.break_units or functools.partial(line_break_units, language.code)

    def __call__(self, text: str, width: int | None = None) -> list[str]:
        """Return the lines. A piece without a legal break stays longer than `width` and is for the caller to drop."""
        width = min(width or self.longest, self.longest)
        lines: list[list[str]] = [[]]
        length = 0
        for unit in self.units(text, width):
            # A space at a line's end is not seen, so it does not count.
            size, ink = count_graphemes(unit), count_graphemes(unit.rstrip())
            if lines[-1] and length + ink > width:
                lines.append([])
                length = 0
            lines[-1].append(unit)
            length += size
        self._lengthen_last(lines)
        return [line for line in ("".join(units).strip() for units in lines) if line]

    def units(self, text: str, width: int) -> list[str]:
        """Return the pieces that are not cut: words with the space behind them, or break units."""
        if not self.spaces:
            return self.break_units(text)
        units: list[str] = []
        for word in (word + " " for word in text.split(" ")):
            units += self.break_units(word) if len(word) > width and count_graphemes(word) - 1 > width else [word]
        return units

    def _lengthen_last(self, lines: list[list[str]]) -> None:
        """Move units from the last line but one to a last line that is too short, while both stay long enough."""
        if len(lines) < 2:
            return
        before, last = lines[-2], lines[-1]
        while len(before) > 1 and _length(last) < self.shortest:
            if _length(before[:-1]) < self.shortest or _length([before[-1], *last]) > self.longest:
                return
            last.insert(0, before.pop())


def _length(units: Sequence[str]) -> int:
    return count_graphemes("".join(units).strip())


class Maker:
    """Makes a paragraph's sentences into lines; which kind is made next follows from what is missing so far."""

    def __init__(self, wrap: Wrapper, mix: LineMix) -> None:
        self.wrap = wrap
        kinds = {kind: getattr(mix, kind) / mix.natural for kind in ("whole", "wrapped", "phrase")}
        self.shares = {kind: share for kind, share in kinds.items() if share}
        self.only = next(iter(self.shares)) if len(self.shares) == 1 else ""
        self.made: Counter = Counter()

    def begin(self) -> None:
        """Forget what was made: a chunk's lines must not depend on the chunks before it."""
        self.made.clear()

    def make(
        self, sentences: Sequence[tuple[str, int]], generator: np.random.Generator
    ) -> Iterator[tuple[str, str, int]]:
        """Yield lines, their kinds and lengths; sentences come with their lengths in graphemes.

        The lines' characters, spaces apart, are the sentences' in order.
        """
        kind = self.only or self._next_kind()
        for line, made, length in self._lines(kind, sentences, generator):
            self.made[made] += 1
            yield line, made, length

    def _next_kind(self) -> str:
        """Return the kind that is furthest behind its share."""
        total = self.made.total() + 1
        return max(self.shares, key=lambda name: self.shares[name] * total - self.made[name])

    def _lines(
        self, kind: str, sentences: Sequence[tuple[str, int]], generator: np.random.Generator
    ) -> Iterator[tuple[str, str, int]]:
        if kind == "wrapped":
            width = int(self.wrap.longest * generator.uniform(NARROWEST, 1))
            text = (" " if self.wrap.spaces else "").join(sentence for sentence, _ in sentences)
            yield from _measured(self.wrap(text, max(width, self.wrap.shortest)), kind)
            return
        for sentence, length in sentences:
            if kind == "phrase":
                yield from _measured(self._phrases(sentence, generator), kind)
            elif length <= self.wrap.longest:
                yield sentence, kind, length
            else:
                yield from _measured(self.wrap(sentence), "wrapped")

    def _phrases(self, sentence: str, generator: np.random.Generator) -> Iterator[str]:
        """Cut a sentence into pieces of a few words; a last piece that is too short joins the one before it."""
        units = self.wrap.units(sentence, self.wrap.longest)
        pieces: list[str] = []
        while units:
            if self.wrap.spaces:
                count = int(generator.integers(1, PHRASE_WORDS + 1))
            else:
                wanted, count = int(generator.integers(2, PHRASE_GRAPHEMES + 1)), 1
                while count < len(units) and _length(units[: count + 1]) <= wanted:
                    count += 1
            # However few words were drawn, a line has its shortest length if the sentence gives it.
            while count < len(units) and _length(units[:count]) < self.wrap.shortest:
                count += 1
            piece, units = "".join(units[:count]), units[count:]
            if pieces and not units and _length([piece]) < self.wrap.shortest:
                pieces[-1] += piece
            else:
                pieces.append(piece)
        for piece in (piece.strip() for piece in pieces):
            yield from [piece] if count_graphemes(piece) <= self.wrap.longest else self.wrap(piece)


def _measured(lines: Iterable[str], kind: str) -> Iterator[tuple[str, str, int]]:
    return ((line, kind, count_graphemes(line)) for line in lines)
