"""Directions: the Unicode bidirectional algorithm (UAX #9) for one line, without explicit embeddings and isolates.

Returns runs of one direction in visual order. Explicit embedding, override and isolate characters are treated as the
boundary neutrals that rule X9 removes; marks (LRM, RLM, ALM) work. Checked against FriBidi in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Direction = Literal["ltr", "rtl"]

_STRONG = {"L": "L", "R": "R", "AL": "R"}
_EXPLICIT = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"])
_NEUTRAL = frozenset(["B", "S", "WS", "ON"])
_PAIRS = dict(zip("([{〈《「『【〔〖〘〚", ")]}〉》」』】〕〗〙〛", strict=True))
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_CLOSERS = frozenset(_PAIRS.values())


def base_direction(text: str, default: Direction = "ltr") -> Direction:
    """Return the direction of the first strong character (rules P2 and P3), `default` where there is none."""
    for char in text:
        strong = _STRONG.get(unicodedata.bidirectional(char))
        if strong:
            return "ltr" if strong == "L" else "rtl"
    return default


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


def embedding_levels(text: str, direction: Direction) -> list[int]:
    """Return the resolved level of each character: even left to right, odd right to left."""
    base = 1 if direction == "rtl" else 0
    original = [unicodedata.bidirectional(char) or "L" for char in text]
    # X9: what is removed takes no part; it gets the level of what stands before it.
    kept = [n for n, kind in enumerate(original) if kind not in _EXPLICIT]
    kinds = _weak([original[n] for n in kept], base)
    _brackets([text[n] for n in kept], kinds, [original[n] for n in kept], base)
    _neutrals(kinds, base)
    levels = [base] * len(text)
    for n, kind in zip(kept, kinds, strict=True):
        levels[n] = _implicit(kind, base)
    _spread(levels, original)
    return _trailing(levels, original, base)


def _implicit(kind: str, base: int) -> int:
    """Rules I1 and I2."""
    if base % 2 == 0:
        return base + (1 if kind == "R" else 2 if kind in ("AN", "EN") else 0)
    return base + (1 if kind in ("L", "AN", "EN") else 0)


def _weak(kinds: list[str], base: int) -> list[str]:
    """Rules W1 to W7: marks, numbers and what stands between them."""
    outer = "R" if base % 2 else "L"
    strong, before = outer, outer
    for n, kind in enumerate(kinds):
        if kind == "NSM":
            kind = before
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


def _brackets(chars: list[str], kinds: list[str], original: list[str], base: int) -> None:
    """Rule N0: a pair of brackets goes with the direction of what it holds, or of what stands before it."""
    outer = "R" if base % 2 else "L"
    for opening, closing in _bracket_pairs(chars, kinds):
        inside = {_side(kinds[n]) for n in range(opening + 1, closing)} - {""}
        if outer in inside:
            direction = outer
        elif inside:
            before = next((_side(kinds[n]) for n in range(opening - 1, -1, -1) if _side(kinds[n])), outer)
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
        if char in _PAIRS:
            if len(stack) == 63:
                break
            stack.append((_PAIRS[char], position))
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


def _neutrals(kinds: list[str], base: int) -> None:
    """Rules N1 and N2: neutrals between equals join them, others take the line's direction."""
    outer = "R" if base % 2 else "L"
    n = 0
    while n < len(kinds):
        end = n
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > n:
            before = _side(kinds[n - 1]) if n else outer
            after = _side(kinds[end]) if end < len(kinds) else outer
            kinds[n:end] = [before if before == after else outer] * (end - n)
        n = max(end, n + 1)


def _spread(levels: list[int], original: list[str]) -> None:
    """Give removed characters the level of the character before them."""
    for n, kind in enumerate(original):
        if kind in _EXPLICIT and n:
            levels[n] = levels[n - 1]


def _trailing(levels: list[int], original: list[str], base: int) -> list[int]:
    """Rule L1: separators, and white space before them and at the end, have the line's level."""
    reset = True
    for n in range(len(levels) - 1, -1, -1):
        if original[n] in ("B", "S"):
            levels[n], reset = base, True
        elif original[n] == "WS" or original[n] in _EXPLICIT:
            levels[n] = base if reset else levels[n]
        else:
            reset = False
    return levels
