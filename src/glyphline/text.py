"""The only place that changes text: declared, versioned rules, lossless by default, for both sides of a metric."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import regex

VERSION = 1
"""Counts changes of what the rules below do to a text; stored with every corpus and model."""

_SPACE = regex.compile(r"\s+")
# White space that is not one single space; of several texts, one a line, it leaves the ends of lines alone.
_UNEVEN_SPACE = regex.compile(r"[^\S\n]{2,}|[^\S\n ]")
_GRAPHEME = regex.compile(r"\X")
JOINING = regex.compile(
    r"[\r\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Regional_Indicator}]"
)
"""Code points that can be one grapheme with a neighbour; a text without them has as many graphemes as code points."""
# Common blocks without any of them, for the faster of the two engines: Latin to Cyrillic, kana, Han, Hangul.
_STANDING = re.compile(
    "[\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205e\u20a0-\u20cf"
    "\u2100-\u2bff\u3000-\u3029\u3030-\u3098\u309b-\ua66e\uac00-\ud7a3\uff01-\uff9d]*"
)
_BEFORE_CLOSING = regex.compile(r"\s+([.,!?;:%)\]}»”’…।॥。、，．！？；：）」』]+(?=\s|$|\p{P}))")
_AFTER_OPENING = regex.compile(r"((?:^|(?<=\s))[(\[{«“‘（「『]+)\s+")
_INVISIBLE = regex.compile(r"[\u200b\u2060\ufeff\u00ad]")


@dataclass(frozen=True)
class TextRules:
    """How a text is normalised. The defaults lose nothing that a reader sees."""

    form: Literal["NFC", "NFD", "NFKC", "NFKD", "none"] = "NFC"
    """Unicode normal form. NFKC and NFKD lose distinctions such as ２ and 2."""
    collapse_space: bool | Literal["lines"] = True
    """Turn every run of white space into one space and strip the ends: a picture of a line shows no more. `lines` does
    so within each line of a page: line breaks stay, empty lines go."""
    drop_invisible: bool = True
    """Remove zero-width space, word joiner, byte-order mark and soft hyphen. Joiners that shape letters stay."""
    replace: dict[str, str] = field(default_factory=dict)
    """Further replacements, applied last, in order: for conventions of one data set, such as `¬` for a hyphen."""


def normalise(text: str, rules: TextRules | None = None) -> str:
    """Apply `rules` to a text (the defaults where there are none). Idempotent unless `replace` is not."""
    rules = rules or DEFAULT_RULES
    if rules.drop_invisible:
        text = _INVISIBLE.sub("", text)
    if rules.form != "none":
        text = unicodedata.normalize(rules.form, text)
    for old, new in rules.replace.items():
        text = text.replace(old, new)
    if rules.collapse_space == "lines":
        lines = (_SPACE.sub(" ", line).strip() for line in text.splitlines())
        return "\n".join(line for line in lines if line)
    if rules.collapse_space:
        text = _SPACE.sub(" ", text).strip()
    return text


def normalise_all(texts: Sequence[str], rules: TextRules | None = None) -> list[str]:
    """Return `normalise` of each text, in one go: of short texts, most of the time goes into calls."""
    rules = rules or DEFAULT_RULES
    joined = "\n".join(texts)
    if rules.replace or joined.count("\n") != len(texts) - 1:
        return [normalise(text, rules) for text in texts]
    # No rule crosses a line break: it is neither combined with a mark nor taken for space below.
    if rules.drop_invisible:
        joined = _INVISIBLE.sub("", joined)
    if rules.form != "none":
        joined = unicodedata.normalize(rules.form, joined)
    if not rules.collapse_space:
        return joined.split("\n")
    return [text.strip() for text in _UNEVEN_SPACE.sub(" ", joined).split("\n")]


def detokenise(text: str) -> str:
    """Close the spaces that cutting a text into words put before closing and after opening punctuation.

    Not lossless, and wrong for French, which wants spaces there: only for texts known to be cut into words.
    """
    return _AFTER_OPENING.sub(r"\1", _BEFORE_CLOSING.sub(r"\1", text))


def graphemes(text: str) -> list[str]:
    """Split a text into extended grapheme clusters (UAX #29): what a reader counts as characters."""
    return list(text) if _STANDING.fullmatch(text) else _GRAPHEME.findall(text)


def count_graphemes(text: str) -> int:
    """Return `len(graphemes(text))`, at once where no code point of the text can join another."""
    if _STANDING.fullmatch(text) or not JOINING.search(text):
        return len(text)
    return len(_GRAPHEME.findall(text))


def charset(texts: object) -> str:
    """Return every code point that occurs in an iterable of texts, sorted, as one string."""
    seen: set[str] = set()
    for text in texts:
        seen.update(text)
    return "".join(sorted(seen))


DEFAULT_RULES = TextRules()
