"""From sentences to lines: as they are, or wrapped at legal break points where they are too long."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from glyphline.languages import Language
from glyphline.text import count_graphemes


class Wrapper:
    """Cuts texts of one language into lines of at most `longest` graphemes, if possible none below `shortest`."""

    def __init__(self, language: Language, shortest: int, longest: int) -> None:
        from glyphline.languages._cutting import line_break_units

        self.shortest, self.longest, self.spaces = shortest, longest, language.spaces
        self.break_units = language.break_units or functools.partial(line_break_units, language.code)

    def __call__(self, text: str, width: int | None = None) -> list[str]:
        """Return the lines. A piece without a legal break stays longer than `width` and is for the caller to drop."""
        width = min(width or self.longest, self.longest)
        lines: list[list[str]] = [[]]
        length = 0
        for unit in self._units(text, width):
            # A space at a line's end is not seen, so it does not count.
            size, ink = count_graphemes(unit), count_graphemes(unit.rstrip())
            if lines[-1] and length + ink > width:
                lines.append([])
                length = 0
            lines[-1].append(unit)
            length += size
        self._lengthen_last(lines)
        return [line for line in ("".join(units).strip() for units in lines) if line]

    def _units(self, text: str, width: int) -> list[str]:
        """Return the pieces that are not cut: words with the space behind them, or break units."""
        if not self.spaces:
            return self.break_units(text)
        words = [word + " " for word in text.split(" ")]
        units: list[str] = []
        for word in words:
            units += self.break_units(word) if len(word) > width and count_graphemes(word) - 1 > width else [word]
        return units

    def _lengthen_last(self, lines: list[list[str]]) -> None:
        """Move units from the last line but one to a last line that is too short, while both stay long enough."""
        if len(lines) < 2:
            return
        before, last = lines[-2], lines[-1]
        while len(before) > 1 and _length(last) < self.shortest:
            if _length(before[:-1]) < self.shortest or _length([before[-1], *last]) > self.longest:
                return
            last.insert(0, before.pop())


def _length(units: Sequence[str]) -> int:
    return count_graphemes("".join(units).strip())
