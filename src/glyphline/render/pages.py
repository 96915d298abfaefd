"""Pages composed of lines: a pure function of (settings, seed, index), of rendered lines and of real crops alike.

    pages = ComposedPages(RenderedLines(texts, recipe, seed), PageSettings(most=6), seed)
    item = pages[123]          # Sample whose text has line breaks, or Drop

The lines of a page come from one `Lines`, and so from one split: a page for training never holds a word of another.
(The scheme of Singh and Karayev, "Full Page Handwriting Recognition via Image to Sequence Extraction", ICDAR 2021,
which takes its words from the whole set.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from glyphline.images import to_grey
from glyphline.records import Drop, Sample, TextLine
from glyphline.render.bidi import base_direction
from glyphline.seeds import rng
from glyphline.settings import InputError
from glyphline.text import graphemes

SAME_SIZE = (0.92, 1.08)
"""Bounds of a line's height in those of its page."""


@dataclass(frozen=True)
class PageSettings:
    """How lines are put together; lengths are in heights of a line."""

    least: int = 1
    """Fewest lines of a page."""
    most: int = 15
    """Most lines of a page."""
    share: float = 1.0
    """How often lines are put together; otherwise a line stays alone, as it is."""
    wrap: int = 0
    """Cut texts at spaces into lines of at most so many characters, now more, now less; 0 takes texts whole."""
    one_hand: float = 0.8
    """How often all rendered lines of a page share one font."""
    margin: tuple[float, float] = (0.1, 1.2)
    """Bounds of the margin on each side."""
    leading: tuple[float, float] = (-0.1, 0.5)
    """Bounds of the distance between two lines; negative ones overlap."""
    indent: float = 0.3
    """How often the first line begins further in."""
    ragged: float = 0.3
    """How often each line begins at a place of its own."""
    centred: float = 0.05
    """How often lines are centred."""
    ruled: float = 0.15
    """How often the paper is ruled."""
    paper: tuple[int, int] = (215, 255)
    """Bounds of the paper's grey."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 1 <= self.least <= self.most:
            raise InputError(f"page: least {self.least}, most {self.most}: 1 <= least <= most")
        for name in ("share", "one_hand", "indent", "ragged", "centred", "ruled"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"page.{name} {getattr(self, name)}: must be between 0 and 1")
        for name in ("margin", "leading", "paper"):
            low, high = getattr(self, name)
            if low > high:
                raise InputError(f"page.{name} {low}, {high}: the lower bound comes first")
        if self.leading[0] <= -0.5 or self.margin[0] < 0 or self.wrap < 0:
            raise InputError("page: leading must be above -0.5, margin and wrap not below 0")


class Lines(Protocol):
    """What pages are composed of: `RenderedLines`, or crops of real pages."""

    seed: int

    def __len__(self) -> int: ...

    def text_of(self, index: int) -> TextLine:
        """Return the text of a line, of any pass."""

    def together(self, indices: Sequence[int], one_hand: bool) -> list[Sample | Drop]:
        """Return the lines of a page, in one font where that is asked for and there are fonts."""


@dataclass
class ComposedPages:
    """Pages made when asked for: a picklable map-style data set without shared state."""

    lines: Lines
    settings: PageSettings
    seed: int
    fits: Callable[[Sequence[str]], bool] | None = field(default=None)
    """Whether lines are short enough together; those that make a page too long are left off its end."""

    def __len__(self) -> int:
        """Return how many pages take about every line once."""
        each = 1 + self.settings.share * ((self.settings.least + self.settings.most) / 2 - 1)
        return max(1, round(len(self.lines) / each))

    def indices(self, index: int) -> list[int]:
        """Return the lines of page `index`, as many as fit. Empty where not even the first line does."""
        generator = rng(self.seed, "page", index)
        alone = generator.random() >= self.settings.share
        count = 1 if alone else int(generator.integers(self.settings.least, self.settings.most + 1))
        chosen = [index * self.settings.most + number for number in range(count)]
        while chosen and self.fits and not self.fits([self.lines.text_of(number).text for number in chosen]):
            chosen.pop()
        return chosen

    def text_of(self, index: int) -> str:
        """Return the text of page `index` as far as it is known without making it: lines may be dropped."""
        return self._joined(self.indices(index))

    def _joined(self, indices: Sequence[int]) -> str:
        return "\n".join(self.lines.text_of(number).text for number in indices)

    def aspect_of(self, index: int) -> float:
        """Return a number by which pages of like size sort together: their lines, then the longest of them."""
        indices = self.indices(index)
        return 1000.0 * len(indices) + max((len(self.lines.text_of(n).text) for n in indices), default=0)

    def __getitem__(self, index: int) -> Sample | Drop:
        """Return page `index`; lines that cannot be written are left out, a page without any is a Drop."""
        if index < 0:
            raise IndexError(f"page {index}")
        generator = rng(self.seed, "looks", index)
        indices = self.indices(index)
        if not indices:
            return Drop("too_long", f"page {index}", self.lines.text_of(index * self.settings.most).text[:80])
        items = self.lines.together(indices, bool(generator.random() < self.settings.one_hand))
        made = [item for item in items if isinstance(item, Sample)]
        if not made:
            return items[0]
        if rng(self.seed, "page", index).random() >= self.settings.share:
            return made[0]
        image = compose([item.image for item in made], [item.text for item in made], self.settings, generator)
        return _sample(made, image, self.seed, index)


def _sample(lines: Sequence[Sample], image: np.ndarray, seed: int, index: int) -> Sample:
    """Return the page with the facts of its lines, from which it can be made again."""
    first = lines[0]
    known = [dict(line.provenance) for line in lines]
    shared = {key: value for key, value in known[0].items() if all(other.get(key) == value for other in known)}
    provenance: dict[str, Any] = shared | {
        "page": index,
        "page_seed": seed,
        "lines": [{key: value for key, value in other.items() if key not in shared} for other in known],
    }
    name = f"{first.language}-{first.split}-{seed}-page-{index:09d}"
    text = "\n".join(line.text for line in lines)
    return Sample(name, image, text, first.language, first.source, first.split, provenance)


def compose(
    pictures: Sequence[np.ndarray], texts: Sequence[str], settings: PageSettings, generator: np.random.Generator
) -> np.ndarray:
    """Return a grey page `(H, W)` uint8 of line pictures `(H, W)` or `(H, W, 3)` below one another.

    Lines are brought to about one height; their ink darkens the page's paper, so that no line has a box around it and
    overlapping ones both stay. Nothing is cut.
    """
    draw = generator.uniform
    height = round(float(np.median([picture.shape[0] for picture in pictures])))
    inks = [_ink(picture, max(4, round(height * draw(*SAME_SIZE)))) for picture in pictures]
    lefts = _lefts([ink.shape[1] for ink in inks], texts, height, settings, generator)
    top, bottom, left, right = (round(height * draw(*settings.margin)) for _ in range(4))
    gap = draw(*settings.leading)
    tops, down = [], top
    for ink in inks:
        tops.append(down)
        down += max(1, ink.shape[0] + round(height * float(np.clip(gap + draw(-0.05, 0.05), -0.4, None))))
    size = (
        max(t + ink.shape[0] for t, ink in zip(tops, inks, strict=True)) + bottom,
        left + max(place + ink.shape[1] for place, ink in zip(lefts, inks, strict=True)) + right,
    )
    page = np.ones(size, np.float32)
    if draw() < settings.ruled:
        _rule(page, [t + round(0.8 * ink.shape[0]) for t, ink in zip(tops, inks, strict=True)], generator)
    for ink, above, place in zip(inks, tops, lefts, strict=True):
        page[above : above + ink.shape[0], left + place : left + place + ink.shape[1]] *= ink
    paper = draw(*settings.paper)
    return np.rint(page * paper).astype(np.uint8)


def _ink(picture: np.ndarray, height: int) -> np.ndarray:
    """Return how much light each place of a line leaves of its paper, 0 to 1, at a height in pixels."""
    import cv2

    grey = to_grey(picture)
    if grey.shape[0] != height:
        width = max(1, round(grey.shape[1] * height / grey.shape[0]))
        shrinks = height < grey.shape[0]
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    paper = max(1.0, float(np.median(grey)))
    return np.minimum(grey.astype(np.float32) / paper, 1.0)


def _lefts(
    widths: Sequence[int], texts: Sequence[str], height: int, settings: PageSettings, generator: np.random.Generator
) -> list[int]:
    """Return where each line begins, in pixels from the margin: flush, ragged, centred or indented.

    Lines that run from right to left are flush at the right, and indented from there.
    """
    draw = generator.uniform
    ragged, centred, indented = (draw() < share for share in (settings.ragged, settings.centred, settings.indent))
    begins = [round(height * draw(0.0, 1.0)) if ragged else 0 for _ in widths]
    if indented:
        begins[0] += round(height * draw(0.5, 2.0))
    widest = max(begin + width for begin, width in zip(begins, widths, strict=True))
    if centred:
        return [(widest - width) // 2 for width in widths]
    if base_direction(" ".join(texts)) == "rtl":
        return [widest - width - begin for begin, width in zip(begins, widths, strict=True)]
    return begins


def _rule(page: np.ndarray, rows: Sequence[int], generator: np.random.Generator) -> None:
    """Draw rules across the page under each line, and as far apart below and above them."""
    light, thick = generator.uniform(0.7, 0.93), int(generator.integers(1, 3))
    for row in rows:
        page[max(0, row) : row + thick] *= light


def wrapped(lines: Sequence[TextLine], longest: int) -> list[TextLine]:
    """Cut texts at spaces into lines of at most `longest` graphemes; the limit of each line is drawn by its text's id.

    Words that are longer than a line are left out: they would have to be cut.
    """
    made: list[TextLine] = []
    for line in lines:
        generator, words, count = rng(0, "wrap", line.id), [], 0
        limit = int(generator.integers(max(1, longest // 2), longest + 1))
        pieces: list[str] = []
        for word in line.text.split():
            size = len(graphemes(word))
            if size > longest:
                continue
            if words and count + 1 + size > max(limit, size):
                pieces.append(" ".join(words))
                words, count = [], 0
                limit = int(generator.integers(max(1, longest // 2), longest + 1))
            count += size + bool(words)
            words.append(word)
        pieces += [" ".join(words)] if words else []
        made += [dataclasses.replace(line, id=f"{line.id}.{n}", text=text) for n, text in enumerate(pieces)]
    return made
