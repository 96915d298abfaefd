"""Rare characters: lines that hold them are chosen first; what is still missing is put into generated lines."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from glyphline.corpus.settings import CoverageSettings
from glyphline.languages import Language
from glyphline.seeds import rng
from glyphline.text import count_graphemes, graphemes

HANGUL = [chr(code) for code in range(0xAC00, 0xD7A4)]
"""All 11,172 syllables of modern Korean."""

KSX1001 = [syllable for syllable in HANGUL if len(syllable.encode("euc_kr")) == 2]
"""The 2,350 syllables of KS X 1001: other ones take EUC-KR eight bytes."""

NAMED = {"hangul": HANGUL, "ksx1001": KSX1001}
"""Sets of characters that can be asked for by name."""

RARE_IN_A_LINE = 5


def wanted(settings: CoverageSettings, found: Iterable[str]) -> list[str]:
    """Return the characters that must occur, sorted; `found` are the graphemes of the corpus."""
    if settings.characters in NAMED:
        return NAMED[settings.characters]
    chosen = found if settings.characters == "corpus" else graphemes(settings.characters)
    return sorted({character for character in chosen if not character.isspace()})


def occurrences(lines: Iterable[str]) -> Counter:
    """Return in how many lines each grapheme stands."""
    counts: Counter = Counter()
    for line in lines:
        counts.update(set(graphemes(line)))
    return counts


def choose(lines: Iterable[str], missing: Counter) -> list[int]:
    """Return the places of lines that hold something missing, each taken only while it is; lowers `missing`."""
    chosen: list[int] = []
    for place, line in enumerate(lines):
        useful = [character for character in set(graphemes(line)) if missing.get(character, 0) > 0]
        if useful:
            chosen.append(place)
            missing.subtract(useful)
    return chosen


@dataclass(frozen=True)
class Form:
    """What generated lines look like."""

    language: Language
    """Their language."""
    words: Sequence[str]
    """Words of the corpus that stand among the rare characters."""
    shortest: int
    """Shortest line in graphemes."""
    longest: int
    """Longest line in graphemes."""


def make_up(missing: Counter, form: Form, seed: int) -> list[str]:
    """Return generated lines in which every missing character stands as often as it is missing, once a line.

    A few rare characters stand among words of the corpus, so that they are met as parts of lines.
    """
    queue = [character for character in sorted(missing) for _ in range(max(0, missing[character]))]
    # Shuffled: neighbours in code look alike and would stand together.
    order = rng(seed, "coverage", form.language.code).permutation(len(queue))
    waiting = deque(queue[place] for place in order)
    lines: list[str] = []
    while waiting:
        generator = rng(seed, "coverage", form.language.code, len(lines))
        picked = [waiting.popleft() for _ in range(min(RARE_IN_A_LINE, len(waiting)))]
        line = _line(picked, form, generator)
        held = Counter(set(graphemes(line)))
        back = [character for character in picked if not _take(held, character)]
        if len(back) == len(picked):
            # Among words none of them stays what it is (a mark that joins the letter before it): then alone.
            line, back = back[0], back[1:]
        waiting.extendleft(reversed(back))
        lines.append(line)
    return lines


def _take(held: Counter, character: str) -> bool:
    held[character] -= 1
    return held[character] >= 0


def _line(rare: Sequence[str], form: Form, generator: np.random.Generator) -> str:
    """Return a line with as many of the rare characters as fit."""
    space = " " if form.language.spaces else ""
    pieces: list[str] = []
    for character in rare:
        word = graphemes(form.words[int(generator.integers(0, len(form.words)))]) if form.words else []
        # A letter in a word, as letters are met; a sign beside one, as signs are.
        piece = "".join([character, *word[1:]]) if character[0].isalpha() else "".join([*word, space, character])
        if count_graphemes(space.join([*pieces, piece])) > form.longest:
            piece = character
        if count_graphemes(space.join([*pieces, piece])) <= form.longest:
            pieces.append(piece)
    while count_graphemes(space.join(pieces)) < form.shortest:
        pieces.append(form.words[int(generator.integers(0, len(form.words)))] if form.words else rare[0])
    return space.join(pieces)
