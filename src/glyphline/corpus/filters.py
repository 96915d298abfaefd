"""Which lines are kept: every filter looks, none changes; a refusal has a reason.

Order matters only for which reason is counted: the most telling comes first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import regex

from glyphline.corpus.settings import FilterSettings
from glyphline.languages import Language
from glyphline.optional import need
from glyphline.settings import InputError
from glyphline.text import normalise

Filter = Callable[[str], str]
"""Returns the reason to drop a text, or '' to keep it."""

# Control, private-use, unassigned and surrogate code points, and the marks that override writing direction.
_CONTROLS = regex.compile(r"[\p{Cc}\p{Co}\p{Cn}\p{Cs}\u202a-\u202e\u2066-\u2069]")
# Where wrong decodings end up: not in Hangul, kana and Han.
_MISREAD = re.compile("[\x80-\u1fff\u2070-\u2fff]")
_COMMON = regex.compile(r"[\p{Script=Common}\p{Script=Inherited}]")
# Without one of these there is no need to look closer.
_MARKUP_SIGN = re.compile(r"[<&\[{|}']")
_URL_SIGN = re.compile(r"/|www", re.IGNORECASE)
_READABLE = regex.compile(r"[\p{L}\p{N}]")
# Only names of HTML elements: Korean text sets titles of films in <angle brackets>.
_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|iframe|img|input|li|link|"
    "math|meta|nowiki|ol|option|p|pre|q|ref|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|"
    "title|tr|tt|u|ul|video"
)
# Not what people draw with signs: arrows (-->), rules (=== … ===), a few quotation marks in a row.
_MARKUP = regex.compile(
    rf"<\s*/?\s*(?:{_TAGS})(?:\s[^<>]*)?/?>|<!--|&(?:[a-z]{{2,8}}|\#\d{{2,6}}|\#x[0-9a-f]{{2,6}});|\[\[|\{{\{{|\}}\}}|"
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
        self._add(settings.mojibake != "keep", wrongly_decoded)
        self._add(settings.controls, controls)
        self._add(settings.markup, markup)
        self._add(settings.urls, urls)
        self._add(settings.repeat_limit > 0, repeats(settings.repeat_limit))
        self._add(True, lambda text: "" if _READABLE.search(text) else "no_letters")
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


def wrongly_decoded(text: str) -> str:
    """Refuse text with replacement characters, or letter sequences that a wrong decoding makes (ftfy's list).

    One such sequence may be chance, as the quotation »Éstas« is: it counts if ftfy can undo it, three count anyway.
    """
    if "\ufffd" in text or "\ufffc" in text:
        return "mojibake"
    if not _MISREAD.search(text):
        return ""
    from ftfy import fix_encoding
    from ftfy.badness import badness

    found = badness(text)
    return "mojibake" if found >= 3 or (found and fix_encoding(text) != text) else ""


def controls(text: str) -> str:
    """Refuse control, private-use and unassigned characters, and marks that override the direction of writing."""
    return "control_characters" if not text.isprintable() and _CONTROLS.search(text) else ""


def markup(text: str) -> str:
    """Refuse residue of HTML, wiki and forum markup."""
    return "markup" if _MARKUP_SIGN.search(text) and _MARKUP.search(text) else ""


def urls(text: str) -> str:
    """Refuse web addresses. A bare domain (`naver.com`) is a word that a reader may meet, and stays."""
    return "url" if _URL_SIGN.search(text) and _URL.search(text) else ""


def repeats(limit: int) -> Filter:
    """Refuse a character, or a group of up to four, that stands more than `limit` times in a row."""
    pattern = re.compile(rf"(.{{1,4}}?)\1{{{limit}}}")
    return lambda text: "repeated_characters" if pattern.search(text) else ""


def wrong_script(language: Language, share: float) -> Filter:
    """Refuse text of whose letters less than `share` is in the language's scripts. Text without letters passes."""
    own = regex.compile("[" + "".join(rf"\p{{Script_Extensions={script}}}" for script in language.scripts) + "]")
    classes = _Classes(own)

    def check(text: str) -> str:
        found = text.translate(classes)
        others = found.count("o")
        if not others:
            return ""
        native = found.count("n")
        return "wrong_script" if native < share * (others + native) else ""

    return check


class _Classes(dict):
    """A table for str.translate: n for the language's own letters, o for others, a space for what is no letter.

    Filled as characters are met: a property is looked up once a character and not once an occurrence.
    """

    def __init__(self, own: regex.Pattern) -> None:
        super().__init__()
        self.own = own

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if not character.isalpha():
            found = " "
        elif self.own.match(character):
            found = "n"
        else:
            found = " " if _COMMON.match(character) else "o"
        self[code] = found
        return found


def other_language(language: Language, probability: float) -> Filter:
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
    return lambda text: "profanity" if pattern.search(text.casefold()) else ""


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

    return check
