"""Which lines are kept: every filter looks, none changes; a refusal has a reason.

Order matters only for which reason is counted: the most telling comes first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import regex

from glyphline.corpus.batch import Batch, Property
from glyphline.corpus.settings import FilterSettings
from glyphline.languages import Language
from glyphline.optional import need
from glyphline.settings import InputError
from glyphline.text import normalise

Suspects = Callable[[Batch], np.ndarray]
"""Says of many texts at once which must be looked at, bool `(texts,)`: the others pass for sure."""


@dataclass(frozen=True)
class Filter:
    """Returns the reason to drop a text, or '' to keep it."""

    judge: Callable[[str], str]
    """Looks at one text: the definition."""
    suspects: Suspects | None = None
    """Finds those that are worth a look; None: all are."""

    def __call__(self, text: str) -> str:
        """Return the reason to drop the text, or ''."""
        return self.judge(text)


# Control, private-use, unassigned and surrogate code points, the marks that override writing direction, and letters
# without ink that people type for a space: Hangul fillers and the empty Braille cell.
_CONTROLS = regex.compile(r"[\p{Cc}\p{Co}\p{Cn}\p{Cs}\u202a-\u202e\u2066-\u2069\u3164\uffa0\u2800]")
# Where wrong decodings end up: not in Hangul, kana and Han.
_MISREAD = regex.compile("[\x80-\u1fff\u2070-\u2fff\ufffc\ufffd]")
_QUOTATION = regex.compile(r"[«»](?=\p{Lu})")
_READABLE = regex.compile(r"[\p{L}\p{N}]")
# Without one of these there is no need to look closer.
_MARKUP_SIGN = regex.compile(r"[<&\[{|}']")
_URL_SIGN = regex.compile(r"[/wW]")
# Only names of HTML elements: Korean text sets titles of films in <angle brackets>.
_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|iframe|img|input|li|link|"
    "math|meta|nowiki|ol|option|p|pre|q|ref|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|"
    "title|tr|tt|u|ul|video"
)
# Not what people draw with signs: arrows (-->), rules (=== … ===), a few quotation marks in a row, faces (>ㅁ<b>),
# one [[word]] made to stand out: a link of a wiki has a bar or a colon, or comes with others.
_MARKUP = regex.compile(
    rf"(?<!>.)<\s*/?\s*(?:{_TAGS})(?:\s[^<>]*)?/?>|<!--|&(?:[a-z]{{2,8}}|\#\d{{2,6}}|\#x[0-9a-f]{{2,6}});|\[\[[^\[\]|:]*[|:]|\[\[.*\[\[|\{{\{{|\}}\}}|"
    r"'''[^']+'''|\{\||\|\}|\[/?(?:url|img|quote|code)\b",
    regex.IGNORECASE,
)
_URL = regex.compile(
    r"\b(?:https?|ftp|file)\s?://|\bwww\s?\.|\b[\w-]+\.(?:com|net|org|info|edu|gov|io|co\.[a-z]{2}|[a-z]{2})/\S",
    regex.IGNORECASE,
)


class Judge:
    """All filters of one source in order. `judge(text)` returns the reason to drop a text, or ''."""

    def __init__(self, settings: FilterSettings, language: Language) -> None:
        self.filters: list[Filter] = []
        self._add(settings.mojibake != "keep", Filter(wrongly_decoded, _holding(_MISREAD)))
        self._add(settings.controls, Filter(controls, _holding(_CONTROLS)))
        self._add(settings.markup, Filter(markup, _holding(_MARKUP_SIGN)))
        self._add(settings.urls, Filter(urls, _holding(_URL_SIGN)))
        self._add(settings.repeat_limit > 0, repeats(settings.repeat_limit))
        self._add(True, Filter(no_letters, _without(_READABLE)))
        self._add(settings.script_share > 0, wrong_script(language, settings.script_share))
        if settings.profanity:
            self.filters.append(profanity(settings.profanity))
        if settings.fonts:
            self.filters.append(not_covered(settings.fonts))

    def _add(self, wanted: bool, check: Filter) -> None:
        if wanted:
            self.filters.append(check)

    def __call__(self, text: str) -> str:
        """Return the first filter's reason to drop the text, '' where all keep it."""
        for check in self.filters:
            if reason := check(text):
                return reason
        return ""

    def all(self, batch: Batch) -> list[str]:
        """Return the reason for each of the texts, as asking for each alone would."""
        reasons = [""] * len(batch)
        for check in self.filters:
            numbers = range(len(batch)) if check.suspects is None else np.flatnonzero(check.suspects(batch)).tolist()
            for number in numbers:
                reasons[number] = reasons[number] or check(batch.texts[number])
        return reasons


def _holding(pattern: regex.Pattern) -> Suspects:
    """Suspect texts with a code point that the pattern matches."""
    wanted = Property(pattern)
    return lambda batch: batch.having(wanted(batch.codes))


def _without(pattern: regex.Pattern) -> Suspects:
    """Suspect texts without any code point that the pattern matches."""
    wanted = Property(pattern)
    return lambda batch: batch.count(wanted(batch.codes)) == 0


def wrongly_decoded(text: str) -> str:
    """Refuse text with replacement characters, or letter sequences that a wrong decoding makes (ftfy's list).

    One such sequence may be chance: it counts if ftfy can undo it, three count anyway. A quotation that begins with
    a capital, »Éstas« or «État», is none, though it could be undone into a letter that nobody uses.
    """
    if "\ufffd" in text or "\ufffc" in text:
        return "mojibake"
    if not _MISREAD.search(text):
        return ""
    from ftfy import fix_encoding
    from ftfy.badness import badness

    text = _QUOTATION.sub('"', text)
    found = badness(text)
    return "mojibake" if found >= 3 or (found and fix_encoding(text) != text) else ""


def controls(text: str) -> str:
    """Refuse control, private-use and unassigned characters, and marks that override the direction of writing."""
    return "control_characters" if _CONTROLS.search(text) else ""


def markup(text: str) -> str:
    """Refuse residue of HTML, wiki and forum markup."""
    return "markup" if _MARKUP_SIGN.search(text) and _MARKUP.search(text) else ""


def urls(text: str) -> str:
    """Refuse web addresses. A bare domain (`naver.com`) is a word that a reader may meet, and stays."""
    return "url" if ("/" in text or "www" in text.lower()) and _URL.search(text) else ""


def no_letters(text: str) -> str:
    """Refuse text without a letter or digit."""
    return "" if _READABLE.search(text) else "no_letters"


def repeats(limit: int) -> Filter:
    """Refuse a character, or a group of up to four, that stands more than `limit` times in a row."""
    pattern = re.compile(rf"(.{{1,4}}?)\1{{{limit}}}")

    def suspects(batch: Batch) -> np.ndarray:
        found = np.zeros(len(batch), dtype=bool)
        for size in range(1, 5):
            # A group repeated so often equals itself, moved by its size, over so many places.
            same = batch.codes[size:] == batch.codes[:-size]
            edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
            starts, ends = edges[::2], edges[1::2]
            # A run may have begun in the text before, so that its second half may be the one to look at.
            for place in np.flatnonzero(ends - starts >= limit * size).tolist():
                found[batch.owners(starts[place]) : batch.owners(ends[place] + size - 1) + 1] = True
        return found

    return Filter(lambda text: "repeated_characters" if pattern.search(text) else "", suspects)


def wrong_script(language: Language, share: float) -> Filter:
    """Refuse text of whose letters less than `share` is in the language's scripts. Text without letters passes."""
    scripts = "".join(rf"\p{{Script_Extensions={script}}}" for script in language.scripts)
    own = regex.compile(rf"[\p{{L}}&&[{scripts}]]", regex.V1)
    other = regex.compile(rf"[\p{{L}}--[{scripts}]--[\p{{Script=Common}}\p{{Script=Inherited}}]]", regex.V1)

    def check(text: str) -> str:
        others = len(other.findall(text))
        native = len(own.findall(text)) if others else 0
        return "wrong_script" if native < share * (others + native) else ""

    return Filter(check, _holding(other))


def other_language(language: Language, probability: float) -> Callable[[str], str]:
    """Refuse text that py3langid (https://github.com/adbar/py3langid) holds for another language.

    It sees letters: of a few words it is unsure, so a text is asked about as a whole and not line by line.
    """
    identifier = need("py3langid.langid", "lang").LanguageIdentifier.from_pickled_model("", norm_probs=True)

    def check(text: str) -> str:
        ranked = dict(identifier.rank(text))
        return "" if ranked.get(language.code, 1.0) >= probability else "other_language"

    return check


def profanity(path: str) -> Filter:
    """Refuse text that holds a word of the list: a whole word, or in scripts without spaces a part of one."""
    try:
        words = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"filters.profanity: {path} cannot be read as UTF-8 ({error})") from error
    listed = sorted({normalise(word).casefold() for word in words} - {""}, key=len, reverse=True)
    # Latin words stand alone ("ass" is not in "grass"); Korean and others take endings.
    either = "|".join(rf"\b{regex.escape(w)}\b" if w.isascii() else regex.escape(w) for w in listed)
    pattern = regex.compile(either or r"(?!)")
    return Filter(lambda text: "profanity" if pattern.search(text.casefold()) else "")


def not_covered(fonts: Sequence[str]) -> Filter:
    """Refuse text for which no single font has a glyph for every character (its character map decides)."""
    from fontTools.ttLib import TTFont, TTLibError

    covered: list[frozenset[str]] = []
    for path in fonts:
        try:
            with TTFont(path, fontNumber=0, lazy=True) as font:
                covered.append(frozenset(map(chr, font.getBestCmap())))
        except (OSError, TTLibError) as error:
            raise InputError(f"filters.fonts: {path} is not a font that can be read ({error})") from error

    def check(text: str) -> str:
        wanted = set(text) - {" "}
        return "" if any(wanted <= characters for characters in covered) else "not_covered"

    return Filter(check)
