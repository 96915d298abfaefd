"""Scripts of characters, and the runs of one script and one direction that a shaper takes."""

from __future__ import annotations

import functools

from glyphline.render.bidi import PAIRS

CURSIVE = frozenset(["Arab", "Syrc", "Mong", "Deva", "Beng", "Guru", "Nkoo", "Adlm", "Rohg", "Mand", "Phag", "Gujr"])
"""Scripts whose letters touch: no extra space and no wobble between the letters of a word."""


_ANYWHERE = frozenset(["Zyyy", "Zinh"])


@functools.lru_cache(maxsize=None)  # noqa: B019, UP033 - one entry a code point
def script_of(char: str) -> str:
    """Return the ISO 15924 code of a character's script; Zyyy for common, Zinh for inherited."""
    from fontTools.unicodedata import script

    return script(char)


def main_script_of(text: str) -> str:
    """Return the first script of its own in a text, Zyyy where there is none."""
    return next((script for script in map(script_of, text) if script not in _ANYWHERE), "Zyyy")


def script_runs(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, script) runs; what has no script of its own goes with the letters before it, else after."""
    found = set(map(script_of, set(text))) - _ANYWHERE
    if len(found) < 2:
        return [(0, len(text), found.pop() if found else "Zyyy")] if text else []
    runs: list[list] = []
    opened: list[tuple[str, str]] = []
    for position, char in enumerate(text):
        script = script_of(char)
        if script in _ANYWHERE:
            script = runs[-1][2] if runs else ""
            if char in PAIRS:
                opened.append((PAIRS[char], script))
            elif opened and char == opened[-1][0]:
                # A closing bracket looks like its opening one (UAX #24, section 5.2).
                script = opened.pop()[1] or script
        if runs and (runs[-1][2] in (script, "")):
            runs[-1][1], runs[-1][2] = position + 1, script or runs[-1][2]
        else:
            runs.append([position, position + 1, script])
    return [(start, end, script or "Zyyy") for start, end, script in runs]
