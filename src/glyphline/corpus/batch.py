"""Many texts as one array of code points, so that a question is asked of all their characters at once.

A chunk's texts are short and alike: most questions ("is there a slash?") have the answer no for nearly all of them.
Asking text by text costs a call for each; here it costs a few nanoseconds a character.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import regex

from glyphline.text import JOINING, count_graphemes, graphemes


class Property:
    """Which code points match a pattern; each is looked up once, when it is first met."""

    _UNKNOWN, _NO, _YES = 0, 1, 2

    def __init__(self, pattern: regex.Pattern) -> None:
        self.pattern = pattern
        # Zeroed lazily by the system: pages of scripts that do not occur take no memory.
        self.known = np.zeros(0x110000, dtype=np.uint8)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return for each of the code points, uint32 `(N,)`, whether the pattern matches it, bool `(N,)`."""
        found = self.known[codes]
        if not found.all():
            for code in np.unique(codes[found == self._UNKNOWN]).tolist():
                self.known[code] = self._YES if self.pattern.match(chr(code)) else self._NO
            found = self.known[codes]
        return found == self._YES


_JOINING = Property(JOINING)


class Batch:
    """Texts, their code points one after the other, and where each text begins and ends."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.ends = np.cumsum(self.sizes)
        self.codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)

    def __len__(self) -> int:
        return len(self.texts)

    def owners(self, places: np.ndarray) -> np.ndarray:
        """Return the number of the text that each of the places in `codes` belongs to."""
        return np.searchsorted(self.ends, places, side="right")

    def having(self, hits: np.ndarray) -> np.ndarray:
        """Return which texts have a hit, bool `(texts,)`; `hits` says it of each code point, bool `(N,)`."""
        found = np.zeros(len(self), dtype=bool)
        found[self.owners(np.flatnonzero(hits))] = True
        return found

    def count(self, hits: np.ndarray) -> np.ndarray:
        """Return how many hits each text has, int64 `(texts,)`."""
        total = np.concatenate([[0], np.cumsum(hits)])
        return total[self.ends] - total[self.ends - self.sizes]

    def lengths(self) -> np.ndarray:
        """Return the length of each text in graphemes, int64 `(texts,)`: `count_graphemes` of each."""
        lengths = self.sizes.copy()
        for number in np.flatnonzero(self.joining()).tolist():
            lengths[number] = count_graphemes(self.texts[number])
        return lengths

    def graphemes(self) -> Counter:
        """Return how often each grapheme occurs in all texts together."""
        joining = self.joining()
        codes = self.codes[~np.repeat(joining, self.sizes)]
        numbers = np.bincount(codes, minlength=1)
        found = np.flatnonzero(numbers)
        counts = Counter(dict(zip(map(chr, found.tolist()), numbers[found].tolist(), strict=True)))
        for number in np.flatnonzero(joining).tolist():
            counts.update(graphemes(self.texts[number]))
        return counts

    def joining(self) -> np.ndarray:
        """Return which texts have a code point that can be one grapheme with a neighbour, bool `(texts,)`."""
        return self.having(_JOINING(self.codes))
