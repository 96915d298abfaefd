"""A rendering job cut into shards: the plan, and `render_shard`, which any process on any machine can run."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from glyphline.images import encode
from glyphline.manifest import Output, Storage
from glyphline.plugins import load
from glyphline.records import SPLITS, Drop, TextLine
from glyphline.render.layouts import Item, Place
from glyphline.render.line import Order, RenderedLines
from glyphline.render.pages import ComposedPages, PageSettings, wrapped
from glyphline.render.recipe import Recipe
from glyphline.render.texts import CasedTexts, read_texts
from glyphline.settings import InputError


@dataclass(frozen=True)
class Slice:
    """The lines of one split: indices 0 to `count` of its own, numbers from `first` on in the folder."""

    split: str
    count: int
    first: int
    shards: int


@dataclass(frozen=True)
class Plan:
    """All that a worker needs to render a shard: small, picklable, the same on every machine."""

    corpus: str
    output: str
    language: str
    slices: tuple[Slice, ...]
    recipe: Recipe
    seed: int
    order: Order
    layout: str
    format: Literal["png", "jpeg", "webp"]
    quality: int
    naming: int
    settings: dict[str, Any]
    inputs: dict[str, str]
    page: PageSettings | None = None

    @property
    def total(self) -> int:
        """Number of shards over all splits."""
        return sum(part.shards for part in self.slices)

    def place(self, number: int) -> tuple[Slice, Place]:
        """Return the split and the place in it of shard `number`."""
        for part in self.slices:
            if number < part.shards:
                return part, Place(part.split, number, part.shards, self.format, self.naming)
            number -= part.shards
        raise IndexError(number)

    def names(self) -> list[str]:
        """Return the shards' file names in order."""
        layout = load("layout", self.layout)
        return [layout.shard_name(self.place(number)[1]) for number in range(self.total)]

    def lines(self, split: str) -> RenderedLines | ComposedPages:
        """Return the lines or pages of a split: the same data set that training renders on the fly."""
        texts = _texts(self.corpus, self.language, split, self.recipe.trdg.case)
        if self.page:
            return _pages(self, split)
        return RenderedLines(texts, self.recipe, self.seed, self.order)


def cut(sizes: dict[str, int], count: int, shard_size: int, shards: int) -> tuple[Slice, ...]:
    """Divide `count` lines (0: as many as texts) over the splits in proportion, and each split into shards."""
    texts = sum(sizes.values())
    if not texts:
        raise InputError("no texts in the chosen splits and language")
    counts = {split: size if not count else count * size // texts for split, size in sizes.items()}
    if count:
        # What rounding leaves over goes to the largest split.
        counts[max(sizes, key=lambda split: sizes[split])] += count - sum(counts.values())
    counts = {split: counts[split] for split in SPLITS if counts.get(split)}
    numbers = apportion(counts, shards) if shards else {s: math.ceil(n / shard_size) for s, n in counts.items()}
    slices, first = [], 0
    for split, number in counts.items():
        slices.append(Slice(split, number, first, numbers[split]))
        first += number
    return tuple(slices)


def apportion(counts: dict[str, int], shards: int) -> dict[str, int]:
    """Divide exactly `shards` over splits in proportion, at least one each. InputError where there are too few."""
    if shards < len(counts) or shards > sum(counts.values()):
        raise InputError(f"--shards: between {len(counts)} (one a split) and {sum(counts.values())} (one a line)")
    total = sum(counts.values())
    numbers = {split: max(1, shards * count // total) for split, count in counts.items()}
    by_size = sorted(counts, key=lambda split: -counts[split])
    while sum(numbers.values()) != shards:
        step = 1 if sum(numbers.values()) < shards else -1
        for split in by_size:
            if numbers[split] + step >= 1 and sum(numbers.values()) != shards:
                numbers[split] += step
    return numbers


def parse_shards(text: str) -> tuple[range | None, int]:
    """Return (numbers, total) of `a-b/n`, `a/n` or `/n`; an empty text is (None, 0). InputError otherwise."""
    if not text:
        return None, 0
    found = re.fullmatch(r"(?:(\d+)(?:-(\d+))?)?/(\d+)", text)
    if not found:
        raise InputError(f"--shards: {text!r} is not a-b/n, for instance 0-99/1000")
    first, last, total = (int(part) if part else None for part in found.groups())
    if first is None:
        return None, total
    last = first if last is None else last
    if not first <= last < total:
        raise InputError(f"--shards: {text}: the numbers must be in order and below {total}")
    return range(first, last + 1), total


@functools.lru_cache(maxsize=8)
def _texts(corpus: str, language: str, split: str, case: str) -> Sequence[TextLine]:
    texts = read_texts(corpus, language, split)
    return CasedTexts(texts, case) if case else texts


_PAGES: dict[str, tuple[Plan, ComposedPages]] = {}


def _pages(plan: Plan, split: str) -> ComposedPages:
    """Return the pages of a split of a plan; the last plan's are kept, since wrapping all texts takes a while."""
    known = _PAGES.get(split)
    if known is None or known[0] is not plan:
        texts = _texts(plan.corpus, plan.language, split, plan.recipe.trdg.case)
        known = _PAGES[split] = (plan, composed(texts, plan.page, plan.recipe, plan.seed, plan.order))
    return known[1]


def composed(texts: Sequence[TextLine], page: PageSettings, recipe: Recipe, seed: int, order: Order) -> ComposedPages:
    """Return pages of texts, which are cut into lines first where the settings ask for it."""
    return ComposedPages(
        RenderedLines(wrapped(texts, page.wrap) if page.wrap else texts, recipe, seed, order), page, seed
    )


def indices(part: Slice, number: int) -> range:
    """Return the indices of shard `number` of a split: contiguous, sizes that differ by one at most."""
    return range(part.count * number // part.shards, part.count * (number + 1) // part.shards)


def render_shard(plan: Plan, number: int) -> dict[str, int]:
    """Render one shard and write it, its further files first; returns counts for the progress bar."""
    part, place = plan.place(number)
    layout = load("layout", plan.layout)
    items, drops = [], []
    for item in render_items(plan, part, indices(part, place.number)):
        (drops if isinstance(item, Drop) else items).append(item)
    packed = layout.pack(items, place)
    storage = Storage(plan.output)
    for name, data in packed.files.items():
        write_quickly(storage, name, data)
    counts = Counter(lines=len(items), drops=len(drops), **{f"lines_{part.split}": len(items)})
    counts["pixels"] = sum(item.sample.image.shape[0] * item.sample.image.shape[1] for item in items)
    output = Output(storage, "lines", plan.settings, plan.inputs)
    output.commit(layout.shard_name(place), packed.data, dict(counts), drops)
    return dict(counts)


def render_items(plan: Plan, part: Slice, numbers: range) -> Iterator[Item | Drop]:
    """Yield the encoded lines of a range of indices, or what became of them."""
    lines = plan.lines(part.split)
    for index in numbers:
        sample = lines[index]
        if isinstance(sample, Drop):
            yield sample
        else:
            yield Item(part.first + index, sample, encode(sample.image, plan.format, plan.quality))


def write_quickly(storage: Storage, name: str, data: bytes) -> None:
    """Write one picture of many: without flushing each to the disk; its digest is in the shard's list."""
    if not storage.is_local:
        storage.write(name, data)
        return
    from pathlib import Path

    target = Path(storage.path(name))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
