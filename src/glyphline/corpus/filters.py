"""Which lines are kept: every filter looks, none changes; a refusal has a reason.

Order matters only for which reason is counted: the most telling comes first.
"""

from __future__ import annotations

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
_REPLACED = regex.compile(r"[\ufffd\ufffc]")
_READABLE = regex.compile(r"[\p{L}\p{N}]")
# Only names of HTML elements: Korean text sets titles of films in <angle brackets>.
_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|iframe|img|input|li|link|"
    "math|meta|nowiki|ol|option|p|pre|q|ref|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|"
    "title|tr|tt|u|ul|video"
)
_MARKUP = regex.compile(
    rf"<\s*/?\s*(?:{_TAGS})(?:\s[^<>]*)?/?>|<!--|-->|&(?:[a-z]{{2,8}}|\#\d{{2,6}}|\#x[0-9a-f]{{2,6}});|\[\[|\]\]|\{{\{{|\}}\}}|"
    r"'''|\{\||\|\}|\[/?(?:url|img|quote|code)\b|^\s*={2,}.*={2,}\s*$",
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
        self._add(settings.controls, lambda text: "control_characters" if _CONTROLS.search(text) else "")
        self._add(settings.markup, lambda text: "markup" if _MARKUP.search(text) else "")
        self._add(settings.urls, lambda text: "url" if _URL.search(text) else "")
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
    """Refuse text with replacement characters, or letter sequences that only a wrong decoding makes (ftfy's list)."""
    if text.isascii():
        return ""
    from ftfy.badness import is_bad

    return "mojibake" if _REPLACED.search(text) or is_bad(text) else ""


def repeats(limit: int) -> Filter:
    """Refuse a character, or a group of up to four, that stands more than `limit` times in a row."""
    pattern = regex.compile(rf"(.{{1,4}}?)\1{{{limit},}}")
    return lambda text: "repeated_characters" if pattern.search(text) else ""


def wrong_script(language: Language, share: float) -> Filter:
    """Refuse text of whose letters less than `share` is in the language's scripts. Text without letters passes."""
    own = "".join(rf"\p{{Script_Extensions={script}}}" for script in language.scripts)
    foreign = regex.compile(rf"[\p{{L}}--[{own}\p{{Script=Common}}\p{{Script=Inherited}}]]", regex.V1)
    native = regex.compile(rf"[\p{{L}}&&[{own}]]", regex.V1)

    def check(text: str) -> str:
        others = len(foreign.findall(text))
        if not others:
            return ""
        return "wrong_script" if len(native.findall(text)) < share * (others + len(native.findall(text))) else ""

    return check


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
