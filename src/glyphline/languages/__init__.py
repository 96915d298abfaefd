"""One file a language: `languages/<code>.py` holds `LANGUAGE`, and nothing else has to change.

Fields that need a heavy library hold a function that imports it when called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from glyphline.text import DEFAULT_RULES, TextRules

SentenceSplitter = Callable[[Iterable[str]], Iterator[list[str]]]
"""Documents in, the sentences of each document out, in order, one list a document; works through batches lazily.

Lossless: the sentences of a document, put together, are the document but for white space."""

BreakUnits = Callable[[str], list[str]]
"""A text in, the pieces between its legal line breaks out; joined they are the text."""


@dataclass(frozen=True)
class Language:
    """What collecting, rendering and scoring need to know about a written language."""

    code: str
    """ISO 639-1 code, the file's name."""
    name: str
    """English name."""
    scripts: tuple[str, ...]
    """Unicode script names, the first the main one: ("Hangul", "Han")."""
    split_sentences: SentenceSplitter
    """Cuts documents into sentences."""
    samples: tuple[str, ...]
    """Real sentences for contract tests and specimen sheets: of the Universal Declaration of Human Rights, the last
    one with digits and punctuation."""
    direction: Literal["ltr", "rtl"] = "ltr"
    """Writing direction of the main script."""
    spaces: bool = True
    """Whether words stand apart; where not, lines are cut at legal break points."""
    break_units: BreakUnits | None = None
    """Cuts a text where a line may end; None: at the line breaks of ICU."""
    packages: tuple[str, ...] = ("sentencex", "icu4py")
    """PyPI packages that cut its text; their versions are recorded with a corpus, as its lines depend on them."""
    digits: str = "0123456789"
    """Digits that running text uses."""
    punctuation: str = ".,!?:;()'\"-"
    """Punctuation that running text uses."""
    addresses: tuple[str, ...] = ()
    """Forms of postal addresses, for generated lines, with {place}, {word}, {number} and {postcode}."""
    places: tuple[str, ...] = ()
    """Towns for them."""
    rules: TextRules = DEFAULT_RULES
    """Text rules of the language."""
    font_packages: tuple[str, ...] = ()
    """Debian packages with fonts that cover it, for the remedy in error messages."""
