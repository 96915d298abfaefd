"""Directions: the Unicode bidirectional algorithm (UAX #9) for one line, embeddings, overrides and isolates included.

Returns runs of one direction in visual order. The tests compare with python-bidi, which is Rust's unicode-bidi.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["ltr", "rtl"]

_STRONG = {"L": "L", "R": "R", "AL": "R"}
_OPENERS = frozenset(["LRI", "RLI", "FSI"])
_REMOVED = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "BN"])
"""What rule X9 takes out of the text."""
_NEUTRAL = frozenset(["B", "S", "WS", "ON", "LRI", "RLI", "FSI", "PDI"])
_DEEPEST = 125
"""Levels of embedding beyond which everything stays as it is (BD2)."""
PAIRS = dict(zip("([{〈《「『【〔〖〘〚", ")]}〉》」』】〕〗〙〛", strict=True))
"""Closing brackets by opening ones."""
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_CLOSERS = frozenset(PAIRS.values())


def base_direction(text: str, default: Direction = "ltr") -> Direction:
    """Return the direction of the first strong character outside isolates (P2, P3), `default` where there is none."""
    kinds = [unicodedata.bidirectional(char) for char in text]
    return _first_strong(kinds, 0) or default


def _first_strong(kinds: list[str], start: int) -> Direction | None:
    """Return the direction of the first strong character from `start` to the end, or of the isolate it stands in."""
    depth = 0
    for kind in kinds[start:]:
        if kind in _OPENERS:
            depth += 1
        elif kind == "PDI":
            depth -= 1
            if depth < 0:
                return None
        elif not depth and kind in _STRONG:
            return "ltr" if kind == "L" else "rtl"
    return None


def is_plain(text: str) -> bool:
    """Tell whether a line is left to right throughout: nothing right-to-left, no Arabic digits."""
    return text.isascii() or not _RIGHT_TO_LEFT.search(text)


def visual_runs(text: str, direction: Direction) -> list[tuple[int, int, Direction]]:
    """Return (start, end, direction) of the runs from left to right as they stand on the page (rules W to L)."""
    levels = embedding_levels(text, direction)
    runs: list[list[int]] = []
    for position, level in enumerate(levels):
        if runs and runs[-1][2] == level:
            runs[-1][1] = position + 1
        else:
            runs.append([position, position + 1, level])
    for level in range(max(levels, default=0), 0, -1):
        _reverse(runs, level)
    return [(start, end, "rtl" if level % 2 else "ltr") for start, end, level in runs]


def _reverse(runs: list[list[int]], level: int) -> None:
    """Reverse each stretch of runs at `level` or above (rule L2)."""
    start = 0
    while start < len(runs):
        end = start
        while end < len(runs) and runs[end][2] >= level:
            end += 1
        runs[start:end] = runs[start:end][::-1]
        start = max(end, start + 1)


@dataclass
class _Sequence:
    """An isolating run sequence (BD13): the places of its characters, its level and what stands around it."""

    level: int
    places: list[int] = field(default_factory=list)
    before: str = ""
    """Direction at its start (sos)."""
    after: str = ""
    """Direction at its end (eos)."""


def embedding_levels(text: str, direction: Direction) -> list[int]:
    """Return the resolved level of each character: even left to right, odd right to left."""
    base = 1 if direction == "rtl" else 0
    original = [unicodedata.bidirectional(char) or "L" for char in text]
    levels, forced = _explicit(original, base)
    result = list(levels)
    for sequence in _sequences(original, levels, base):
        outer = _direction_of(sequence.level)
        classes = [forced[n] for n in sequence.places]
        kinds = _weak(list(classes), sequence.before)
        _brackets([text[n] for n in sequence.places], kinds, classes, (outer, sequence.before))
        _neutrals(kinds, outer, (sequence.before, sequence.after))
        for n, kind in zip(sequence.places, kinds, strict=True):
            result[n] = _implicit(kind, sequence.level)
    # What is removed takes no part; it gets the level of what stands before it.
    for n, kind in enumerate(original):
        if kind in _REMOVED:
            result[n] = result[n - 1] if n else base
    return _trailing(result, original, base)


def _direction_of(level: int) -> str:
    return "R" if level % 2 else "L"


def _explicit(original: list[str], base: int) -> tuple[list[int], list[str]]:
    """Rules X1 to X8: return the level of each character, and its class, which an override may have changed."""
    levels, kinds = [], list(original)
    stack: list[tuple[int, str, bool]] = [(base, "", False)]
    too_many_isolates = too_many_embeddings = isolates = 0
    for n, kind in enumerate(original):
        levels.append(stack[-1][0])
        if kind not in _REMOVED and kind != "B":
            kinds[n] = stack[-1][1] or kind
        if kind in _OPENERS or kind in ("LRE", "RLE", "LRO", "RLO"):
            opens = kind in _OPENERS
            odd = kind[0] == "R" or (kind == "FSI" and _first_strong(original, n + 1) == "rtl")
            level = _next_level(stack[-1][0], odd)
            if level > _DEEPEST or too_many_isolates or too_many_embeddings:
                too_many_isolates += opens
                too_many_embeddings += not opens and not too_many_isolates
            else:
                isolates += opens
                stack.append((level, {"LRO": "L", "RLO": "R"}.get(kind, ""), opens))
        elif kind == "PDI":
            if too_many_isolates:
                too_many_isolates -= 1
            elif isolates:
                too_many_embeddings = 0
                while not stack.pop()[2]:
                    pass
                isolates -= 1
                levels[n], kinds[n] = stack[-1][0], stack[-1][1] or kind
        elif kind == "PDF" and not too_many_isolates:
            if too_many_embeddings:
                too_many_embeddings -= 1
            elif len(stack) > 1 and not stack[-1][2]:
                stack.pop()
        elif kind == "B":
            levels[n] = base
    return levels, kinds


def _next_level(level: int, odd: bool) -> int:
    """Return the next level up that is odd, or even."""
    return level + 1 if (level % 2 == 0) == odd else level + 2


def _sequences(original: list[str], levels: list[int], base: int) -> list[_Sequence]:
    """Rule X10: runs of one level, those before and after an isolate joined, and the directions around them."""
    kept = [n for n, kind in enumerate(original) if kind not in _REMOVED]
    sequences: list[_Sequence] = []
    waiting: list[_Sequence] = []
    current = _Sequence(base)
    for position, n in enumerate(kept):
        if position and levels[kept[position - 1]] == levels[n]:
            current.places.append(n)
        else:
            if position and original[kept[position - 1]] in _OPENERS:
                waiting.append(current)
            matched = original[n] == "PDI" and waiting and waiting[-1].level == levels[n]
            current = waiting.pop() if matched else _Sequence(levels[n])
            if not matched:
                sequences.append(current)
            current.places.append(n)
    place_of = {n: position for position, n in enumerate(kept)}
    for sequence in sequences:
        first, last = place_of[sequence.places[0]], place_of[sequence.places[-1]]
        earlier = levels[kept[first - 1]] if first else base
        open_ended = original[kept[last]] in _OPENERS or last + 1 == len(kept)
        later = base if open_ended else levels[kept[last + 1]]
        sequence.before = _direction_of(max(earlier, sequence.level))
        sequence.after = _direction_of(max(later, sequence.level))
    return sequences


def _implicit(kind: str, base: int) -> int:
    """Rules I1 and I2."""
    if base % 2 == 0:
        return base + (1 if kind == "R" else 2 if kind in ("AN", "EN") else 0)
    return base + (1 if kind in ("L", "AN", "EN") else 0)


def _weak(kinds: list[str], outer: str) -> list[str]:
    """Rules W1 to W7: marks, numbers and what stands between them; `outer` is the direction before the first."""
    strong, before = outer, outer
    for n, kind in enumerate(kinds):
        if kind == "NSM":
            kind = "ON" if before in _OPENERS or before == "PDI" else before
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            kind = "AN"
        kinds[n] = before = kind
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    _separators(kinds)
    _terminators(kinds)
    strong = outer
    for n, kind in enumerate(kinds):
        if kind in ("ES", "ET", "CS"):
            kinds[n] = "ON"
        elif kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[n] = "L"
    return kinds


def _separators(kinds: list[str]) -> None:
    """Rule W4: one separator between two numbers of a kind joins them."""
    for n in range(1, len(kinds) - 1):
        before, kind, after = kinds[n - 1 : n + 2]
        if before == after and ((kind == "CS" and before in ("EN", "AN")) or (kind == "ES" and before == "EN")):
            kinds[n] = before


def _terminators(kinds: list[str]) -> None:
    """Rule W5: signs such as % beside European numbers belong to them."""
    n = 0
    while n < len(kinds):
        end = n
        while end < len(kinds) and kinds[end] == "ET":
            end += 1
        if end > n and ((n > 0 and kinds[n - 1] == "EN") or (end < len(kinds) and kinds[end] == "EN")):
            kinds[n:end] = ["EN"] * (end - n)
        n = max(end, n + 1)


def _brackets(chars: list[str], kinds: list[str], original: list[str], outside: tuple[str, str]) -> None:
    """Rule N0: a pair of brackets goes with the direction of what it holds, or of what stands before it.

    `outside` is the direction of the embedding and that before the first character.
    """
    outer, start = outside
    for opening, closing in _bracket_pairs(chars, kinds):
        inside = {_side(kinds[n]) for n in range(opening + 1, closing)} - {""}
        if outer in inside:
            direction = outer
        elif inside:
            before = next((_side(kinds[n]) for n in range(opening - 1, -1, -1) if _side(kinds[n])), start)
            direction = before if before != outer else outer
        else:
            continue
        for position in (opening, closing):
            kinds[position] = direction
            follower = position + 1
            while follower < len(kinds) and original[follower] == "NSM":
                kinds[follower] = direction
                follower += 1


def _bracket_pairs(chars: list[str], kinds: list[str]) -> list[tuple[int, int]]:
    """Return matching brackets (definition BD16), in order of their opening."""
    stack: list[tuple[str, int]] = []
    pairs = []
    for position, char in enumerate(chars):
        if kinds[position] != "ON":
            continue
        if char in PAIRS:
            if len(stack) == 63:
                break
            stack.append((PAIRS[char], position))
        elif char in _CLOSERS:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][0] == char:
                    pairs.append((stack[depth][1], position))
                    del stack[depth:]
                    break
    return sorted(pairs)


def _side(kind: str) -> str:
    """Return the strong direction that a resolved kind counts as for neutrals; numbers count as right to left."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(kind, "")


def _neutrals(kinds: list[str], outer: str, ends: tuple[str, str]) -> None:
    """Rules N1 and N2: neutrals between equals join them, others take the embedding's direction."""
    n = 0
    while n < len(kinds):
        end = n
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > n:
            before = _side(kinds[n - 1]) if n else ends[0]
            after = _side(kinds[end]) if end < len(kinds) else ends[1]
            kinds[n:end] = [before if before == after else outer] * (end - n)
        n = max(end, n + 1)


def _trailing(levels: list[int], original: list[str], base: int) -> list[int]:
    """Rule L1: separators, and white space before them and at the end, have the line's level."""
    reset = True
    for n in range(len(levels) - 1, -1, -1):
        if original[n] in ("B", "S"):
            levels[n], reset = base, True
        elif original[n] in ("WS", "PDI") or original[n] in _OPENERS or original[n] in _REMOVED:
            levels[n] = base if reset else levels[n]
        else:
            reset = False
    return levels
