"""Pieces of lines: from random weights they teach the letters' shapes many times faster than whole lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from glyphline.records import TextLine
from glyphline.seeds import rng
from glyphline.text import graphemes


class Pieces(Sequence[TextLine]):
    """Pieces of 1 to `longest` graphemes of lines, cut when asked for: each line is taken `TURNS` times."""

    TURNS = 64

    def __init__(self, lines: Sequence[TextLine], longest: int, seed: int) -> None:
        self.lines, self.longest, self.seed = lines, longest, seed

    def __len__(self) -> int:
        return self.TURNS * len(self.lines)

    def __getitem__(self, number: int) -> TextLine:
        line, generator = self.lines[number % len(self.lines)], rng(self.seed, "piece", number)
        letters = graphemes(line.text)
        starts = [place for place, letter in enumerate(letters) if not letter.isspace()]
        start = starts[int(generator.integers(len(starts)))]
        text = "".join(letters[start : start + int(generator.integers(1, self.longest + 1))]).rstrip()
        return dataclasses.replace(line, id=f"{line.id}.{number}", text=text)
