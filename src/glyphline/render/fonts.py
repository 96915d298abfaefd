"""Which font writes a line: a catalogue, weights by family, held-out families, and no tofu.

A font is drawn for a text only where it has ink of its own for every character. Families are drawn by weight, then a
face of the family; a face that lacks a character is rejected and another drawn, which keeps the proportions among
those that can write the text.
"""

from __future__ import annotations

import bisect
import functools
import importlib
import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glyphline import seeds
from glyphline.manifest import digest
from glyphline.plugins import available
from glyphline.plugins import load as load_plugin
from glyphline.records import SPLITS
from glyphline.render.faces import Face, characters, font_files, is_invisible, read_faces
from glyphline.render.recipe import FontSettings
from glyphline.render.scripts import script_of
from glyphline.settings import InputError, identity, suggest

log = logging.getLogger(__name__)

DRAWS = 6
"""Blind draws before the list of fitting faces is made."""
SAMPLE_SHARE = 0.9
"""Share of a language's sample letters that a font must have to be one of the language's fonts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A face and, where it has no digits or Latin of its own, the companion that lends them."""

    face: Face
    companion: Face | None = None

    @property
    def chars(self) -> frozenset[str]:
        """Characters that the choice can write."""
        return _together(self.face.ranges, self.companion.ranges if self.companion else ())


@functools.lru_cache(maxsize=1024)
def _together(first: tuple, second: tuple) -> frozenset[str]:
    return characters(first) | frozenset(c for c in characters(second) if _lendable(c)) if second else characters(first)


def _lendable(char: str) -> bool:
    """Tell whether a companion may write the character: Latin, and what belongs to no script."""
    return script_of(char) in ("Zyyy", "Latn")


class Catalogue:
    """The faces that a recipe may use, with families, weights and splits."""

    def __init__(self, settings: FontSettings) -> None:
        self.settings = settings
        self.damaged: list[str] = []
        faces: dict[tuple[str, int], Face] = {}
        for file in font_files(settings.folders):
            try:
                faces |= {(face.sha256, face.index): face for face in read_faces(file)}
            except InputError as error:
                self.damaged.append(str(error))
                log.warning("%s; left out", error)
        every = sorted(faces.values(), key=lambda face: (face.family, face.weight, face.style, face.sha256))
        self._by_family: dict[str, list[Face]] = {}
        for face in every:
            self._by_family.setdefault(face.family, []).append(face)
        self._check_names({face.family for face in every})
        self.faces = [face for face in every if self._wanted(face)]
        if not self.faces:
            raise InputError(f"fonts: none in {', '.join(settings.folders) or 'the system'} fits the settings")
        self.choices = [Choice(face, self._companion(face)) for face in self.faces]
        self.splits = self._split()

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 over the files' digests: what rendered pixels depend on, wherever the files lie."""
        return digest(sorted([face.sha256, face.index] for face in self.faces))

    def _wanted(self, face: Face) -> bool:
        wanted, excluded = self.settings.families, self.settings.exclude
        return face.family not in excluded and face.family in (wanted or [face.family])

    def _check_names(self, known: set[str]) -> None:
        """Raise InputError for a family in the settings that no font has: a misspelt one would silently do nothing."""
        for key in ("families", "exclude", "weights", "validation_families", "test_families"):
            for family in getattr(self.settings, key):
                if family not in known:
                    raise InputError(f"fonts.{key}: no font of family {family!r}{suggest(family, sorted(known))}")

    def _companion(self, face: Face) -> Face | None:
        """Return the family whose name begins this one's (Noto Sans for Noto Sans Thai) where digits are missing."""
        if "0" in characters(face.ranges) and "a" in characters(face.ranges):
            return None
        words = face.family.split()
        for count in range(len(words) - 1, 1, -1):
            others = self._by_family.get(" ".join(words[:count]))
            if others:
                return min(
                    others, key=lambda f: (f.italic != face.italic, "Condensed" in f.style, abs(f.weight - face.weight))
                )
        return None

    def _split(self) -> dict[str, str]:
        """Assign each family to a split: by name where named, else a share of each script's families by hash."""
        named = dict.fromkeys(self.settings.validation_families, "validation")
        named |= dict.fromkeys(self.settings.test_families, "test")
        splits = {face.family: "" for face in self.faces}
        if not (self.settings.held_out or named):
            return splits
        groups: dict[str, list[str]] = {}
        for face in self.faces:
            members = groups.setdefault(main_script(face), [])
            if face.family not in members and face.family not in named and splits[face.family] == "":
                members.append(face.family)
        splits = dict.fromkeys(splits, "train") | {f: s for f, s in named.items() if f in splits}
        for script, families in groups.items():
            count = max(1, round(self.settings.held_out * len(families))) if self.settings.held_out else 0
            if len(families) < 3 or not count:
                continue
            ranked = sorted(families, key=lambda family: seeds.share(0, "held out", script, family))
            splits |= dict.fromkeys(ranked[:count], "validation") | dict.fromkeys(ranked[count : 2 * count], "test")
        return splits

    @functools.lru_cache(maxsize=256)  # noqa: B019 - catalogues live as long as the process
    def pool(self, language: str, split: str) -> Pool:
        """Return the choices for a language and split."""
        letters = sample_letters(language)
        # The face's own letters count: a companion does not make a Thai font one of French.
        able = [c for c in self.choices if not letters or _share(letters, characters(c.face.ranges)) >= SAMPLE_SHARE]
        of_kind = [choice for choice in able if choice.face.kind in self.settings.kinds]
        if able and not of_kind:
            log.warning("fonts: none of kind %s writes %s; others are used", "/".join(self.settings.kinds), language)
        able = of_kind or able
        for role in (split, "train"):
            chosen = [choice for choice in able if self.splits[choice.face.family] in ("", role)]
            if chosen:
                break
            if split != "train" and able:
                log.warning("fonts: none held out for %s writes %s; its training fonts are used", split, language)
        return Pool(chosen, self.settings.weights)


def _share(letters: frozenset[str], chars: frozenset[str]) -> float:
    """Return the share of `letters` among `chars`."""
    return len(letters & chars) / len(letters)


class Pool:
    """Choices with cumulative weights: families by their weight, the faces of a family in equal parts."""

    def __init__(self, choices: Sequence[Choice], weights: dict[str, float]) -> None:
        self.choices = list(choices)
        self.chars = [choice.chars for choice in choices]
        families = [choice.face.family for choice in choices]
        self.weights = np.array([weights.get(f, 1.0) / families.count(f) for f in families], dtype=np.float64)
        total = self.weights.sum()
        self.bounds = (np.cumsum(self.weights) / total).tolist() if total > 0 else []

    def draw(self, text: str, rng: np.random.Generator) -> Choice | None:
        """Return a choice that has ink for every character of `text`, None where there is none."""
        if not self.bounds:
            return None
        needed = set(text)
        for chance in rng.random(DRAWS).tolist():
            number = bisect.bisect_right(self.bounds, chance)
            if number < len(self.chars) and not lacking(needed, self.chars[number]):
                return self.choices[number]
        fitting = [n for n in range(len(self.choices)) if self.weights[n] > 0 and not lacking(needed, self.chars[n])]
        if not fitting:
            return None
        bounds = np.cumsum(self.weights[fitting])
        return self.choices[fitting[int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))]]

    def missing(self, text: str) -> str:
        """Return the characters of `text` that the best choice lacks: why a line was dropped."""
        needed = set(text)
        lacks = [lacking(needed, chars) for chars in self.chars] or [needed]
        return "".join(sorted(min(lacks, key=len)))


def lacking(needed: set[str], chars: frozenset[str]) -> set[str]:
    """Return the needed characters that are neither among `chars` nor invisible by right, nor composable from them."""
    rest = needed - chars
    return {char for char in rest if not is_invisible(char) and not _composable(char, chars)} if rest else rest


def _composable(char: str, chars: frozenset[str]) -> bool:
    """Tell whether HarfBuzz can build the character from its canonical parts (é from e and an acute)."""
    parts = unicodedata.normalize("NFD", char)
    return len(parts) > 1 and all(part in chars for part in parts) and not "\uac00" <= char <= "\ud7a3"


_CATALOGUES: dict[str, Catalogue] = {}
_KNOWN: dict[int, tuple[FontSettings, Catalogue]] = {}


def catalogue(settings: FontSettings) -> Catalogue:
    """Return the catalogue of the settings, built once a process."""
    known = _KNOWN.get(id(settings))
    if known is None or known[0] is not settings:
        key = digest(identity(settings))
        if key not in _CATALOGUES:
            _CATALOGUES[key] = Catalogue(settings)
        if len(_KNOWN) > 256:
            _KNOWN.clear()
        known = _KNOWN[id(settings)] = (settings, _CATALOGUES[key])
    return known[1]


@functools.lru_cache(maxsize=128)
def language_facts(code: str) -> object | None:
    """Return the `Language` of a code, None where there is no such plug-in."""
    if code not in available("language"):
        return None
    return load_plugin("language", code).LANGUAGE


@functools.lru_cache(maxsize=128)
def sample_letters(code: str) -> frozenset[str]:
    """Return the letters of a language's main script in its sample sentences; empty for an unknown language."""
    language = language_facts(code)
    if language is None:
        return frozenset()
    main = {_CODES.get(name, name) for name in language.scripts[:1]}
    return frozenset(c for text in language.samples for c in text if script_of(c) in main)


_CODES = {
    name: code
    for code, name in {
        "Hang": "Hangul", "Hani": "Han", "Latn": "Latin", "Cyrl": "Cyrillic", "Grek": "Greek", "Arab": "Arabic",
        "Hebr": "Hebrew", "Deva": "Devanagari", "Taml": "Tamil", "Telu": "Telugu", "Mlym": "Malayalam",
        "Beng": "Bengali", "Thai": "Thai", "Geor": "Georgian", "Armn": "Armenian", "Hira": "Hiragana",
        "Kana": "Katakana",
    }.items()
}  # fmt: skip


@functools.lru_cache(maxsize=512)
def main_script(face: Face) -> str:
    """Return the script that most of a face's characters belong to (ISO 15924), Latin only where there is no other."""
    counts: dict[str, int] = {}
    for char in characters(face.ranges):
        script = script_of(char)
        counts[script] = counts.get(script, 0) + 1
    latin = sum(counts.pop(script, 0) for script in ("Zyyy", "Zinh", "Latn"))
    best = max(counts, key=lambda script: (counts[script], script), default="Latn")
    return best if counts.get(best, 0) > latin else "Latn"


def main(argv: Sequence[str] | None = None) -> int:
    """Run `glyphline fonts`."""
    return importlib.import_module("glyphline.render.specimen").main(argv)


__all__ = ["SPLITS", "Catalogue", "Choice", "Pool", "catalogue", "main"]
