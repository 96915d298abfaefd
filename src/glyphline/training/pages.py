"""Training pages: composed of rendered lines or of real ones of the train split, alone or beside real pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphline.records import Drop, Sample, TextLine
from glyphline.render.pages import ComposedPages, Lines, PageSettings, wrapped
from glyphline.settings import InputError, build
from glyphline.training.settings import TrainSource

if TYPE_CHECKING:
    from glyphline.training.data import RenderedSource, StoredLines

SHOWN = 2000
"""Pages whose texts tokenizer and limit are made from, beside all lines."""


def compose_pages(opened: StoredLines | RenderedSource, source: TrainSource) -> PageSource:
    """Return a source of pages of the lines of another. InputError where its settings do not fit together."""
    settings = build(PageSettings, source.page, "data.train.page")
    if source.corpus:
        if settings.wrap:
            opened.relabel(wrapped(opened.lines, settings.wrap))
        return PageSource(opened.rendered, settings, opened.facts)
    if settings.wrap:
        raise InputError("data.train.page.wrap: only for `corpus`; the lines of a folder are written already")
    return PageSource(StoredAsLines(opened), settings, opened.facts)


@dataclass(frozen=True)
class WithinLimit:
    """Adds up the tokens of lines, each with the break or the end that follows it."""

    lengths: dict[str, int]
    most: int

    def __call__(self, texts: Sequence[str]) -> bool:
        """Tell whether the lines make a page of at most `most` tokens."""
        return sum(self.lengths[text] for text in texts) <= self.most


class StoredAsLines:
    """Lets pages be composed of a folder's lines: line i is what the folder's source has at position i."""

    def __init__(self, stored: StoredLines) -> None:
        self.stored, self.seed = stored, stored.seed

    def __len__(self) -> int:
        return len(self.stored)

    def text_of(self, index: int) -> TextLine:
        """Return the text of the line that is at a position."""
        return TextLine(str(index), self.stored.labels[self.stored.order(index)], "", "", "train")

    def together(self, indices: Sequence[int], one_hand: bool) -> list[Sample | Drop]:
        """Return the lines as they are: crops have the hands that they have."""
        return [Sample(str(i), *self.stored.item(i), "", "", "train") for i in indices]


class PageSource:
    """Composed pages by position, as the other sources of training are lines."""

    def __init__(self, lines: Lines, settings: PageSettings, facts: dict[str, Any]) -> None:
        self.pages = ComposedPages(lines, settings, lines.seed)
        self.facts = facts | {"page": True, "pages": len(self.pages)}

    def limit(self, count_tokens: Callable[[list[str]], list[int]], most: int) -> None:
        """Let pages take as many lines as make `most` tokens with the end token."""
        texts = sorted(set(self._line_texts()))
        self.pages.fits = WithinLimit(dict(zip(texts, count_tokens(texts), strict=True)), most)

    def __len__(self) -> int:
        return len(self.pages)

    def aspect(self, position: int) -> float:
        """Return a number that grows with the size of the page at a position."""
        return self.pages.aspect_of(position)

    def item(self, position: int) -> tuple[np.ndarray, str] | None:
        """Return picture and text, None where no line of the page can be written or fits."""
        sample = self.pages[position]
        return (sample.image, sample.text) if isinstance(sample, Sample) else None

    def texts(self) -> Iterator[str]:
        """Yield the texts of all lines, and those of so many pages that they show how long pages are."""
        yield from self._line_texts()
        yield from (self.pages.text_of(position) for position in range(min(SHOWN, len(self.pages))))

    def _line_texts(self) -> Iterator[str]:
        return (self.pages.lines.text_of(i).text for i in range(len(self.pages.lines)))
