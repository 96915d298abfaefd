"""Training lines as a pure function of their number: item i of a run is the same in any process, at any time.

A run is one long list of items. Item i comes from a source drawn by weight, at a position that counts that source's
items; a position beyond a source's length is a further pass, newly shuffled, newly rendered or newly augmented.
So a run resumes at a batch number, and workers need no state.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from glyphline.images import decode, size_of
from glyphline.manifest import MANIFEST, Manifest, Storage, read_corpus, read_manifest, read_shards
from glyphline.models.canvas import Preprocessor
from glyphline.records import Sample, TextLine
from glyphline.seeds import rng
from glyphline.settings import InputError
from glyphline.text import normalise
from glyphline.training.augmentation import augmented
from glyphline.training.composition import MOST, compose
from glyphline.training.pieces import Pieces
from glyphline.training.selection import select
from glyphline.training.settings import TrainSource, ValidationSource

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Lines by position; `len` is one pass."""

    facts: dict[str, Any]

    def __len__(self) -> int: ...

    def aspect(self, position: int) -> float:
        """Return about how many times as wide as high the picture at a position is, without making it."""

    def item(self, position: int) -> tuple[np.ndarray, str] | None:
        """Return picture and text; None where the picture cannot be made."""

    def texts(self) -> Iterator[str]:
        """Yield the texts of one pass."""

    def keep(self, kept: Sequence[int]) -> None:
        """Keep only the lines with these numbers. Sources that put texts together have `limit` instead."""


class Shuffled:
    """A new order at every pass, by seed alone."""

    def __init__(self, seed: int, length: int) -> None:
        self.seed, self.length = seed, length
        self._order = functools.lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, turn: int) -> np.ndarray:
        return rng(self.seed, "order", turn).permutation(self.length)

    def __call__(self, position: int) -> int:
        """Return the line number at a position."""
        return int(self._order(position // self.length)[position % self.length])

    def __reduce__(self) -> tuple:
        return Shuffled, (self.seed, self.length)


class StoredLines:
    """A folder of lines held in memory as encoded pictures, decoded and augmented as they are taken."""

    def __init__(self, folder: str, split: str, seed: int, augment: str | None = None, compose: float = 0.0) -> None:
        manifest = read_manifest(folder, "lines")
        self.images: list[bytes] = []
        self.labels: list[str] = []
        for table in read_shards(folder, "lines", ("image", "text", "split")):
            for row in table.to_pylist():
                if row["split"] == split:
                    self.images.append(row["image"]["bytes"])
                    self.labels.append(row["text"])
        if not self.labels:
            raise InputError(f"{folder}: no lines of split {split!r} (it has {manifest.counts})")
        self.folder, self.seed, self.augment, self.compose = folder, seed, augment, compose
        self.fits: Callable[[str], bool] = bool
        self.facts = {"kind": "lines", "manifest": manifest.hash, "lines": len(self.labels)}
        self.order = Shuffled(seed, len(self.labels))
        self.aspects = np.zeros(len(self.labels), np.float32)

    def __len__(self) -> int:
        return len(self.labels)

    def texts(self) -> Iterator[str]:
        """Yield the texts of one pass."""
        return iter(self.labels)

    def keep(self, kept: Sequence[int]) -> None:
        """Keep only the lines with these numbers."""
        self.images, self.labels = [self.images[i] for i in kept], [self.labels[i] for i in kept]
        self.order = Shuffled(self.seed, len(self.labels))
        self.aspects = self.aspects[list(kept)]

    def aspect(self, position: int) -> float:
        """Return width over height of the picture at a position, from files' heads; a guess where composed."""
        numbers = self._lines_at(position)
        share = 1.0 if len(numbers) == 1 else 0.6
        return share * sum(self._aspect(number) for number in numbers)

    def _aspect(self, number: int) -> float:
        if not self.aspects[number]:
            width, height = size_of(self.images[number], f"{self.folder}: line {number}")
            self.aspects[number] = width / height
        return float(self.aspects[number])

    def item(self, position: int) -> tuple[np.ndarray, str]:
        """Return picture and text; the picture composed and augmented afresh for this position."""
        numbers = self._lines_at(position)
        pictures = [decode(self.images[number], f"{self.folder}: line {number}") for number in numbers]
        image, text = pictures[0], self.labels[numbers[0]]
        if len(numbers) > 1:
            made = compose(pictures, [self.labels[n] for n in numbers], rng(self.seed, "spans", position))
            image, text = made if self.fits(made[1]) else (image, text)
        if self.augment:
            image = augmented(image, self.augment, rng(self.seed, "augment", position))
        return image, text

    def _lines_at(self, position: int) -> list[int]:
        """Return the numbers of the lines that a position is made of: its own, and others where it is composed."""
        number = self.order(position)
        if not self.compose:
            return [number]
        generator = rng(self.seed, "compose", position)
        if generator.random() >= self.compose:
            return [number]
        others = generator.integers(0, len(self.labels), int(generator.integers(1, MOST)))
        return [number, *map(int, others)]


class RenderedSource:
    """A corpus rendered on the fly, whole lines or pieces of them."""

    def __init__(self, source: TrainSource, lines: Sequence[TextLine], seed: int) -> None:
        self.source, self.seed = source, seed
        self.lines = list(lines)
        self.facts = {"kind": "corpus", "lines": len(self.lines), "preset": source.preset, "recipe": source.recipe}
        self._begin()

    def _begin(self) -> None:
        from glyphline.render.line import RenderedLines
        from glyphline.render.recipe import load_recipe

        overrides = dict(self.source.recipe)
        if self.source.fonts:
            overrides["fonts"] = {**overrides.get("fonts", {}), "folders": self.source.fonts}
        pieces = self.source.pieces
        texts = Pieces(self.lines, pieces, self.seed) if pieces else self.lines
        self.rendered = RenderedLines(texts, load_recipe(self.source.preset, overrides), self.seed)

    def fonts(self, languages: Sequence[str]) -> list[str]:
        """Return the font families that write the lines of the languages, sorted, those under the OFL marked so."""
        from glyphline.render.fonts import catalogue

        fonts = catalogue(self.rendered.recipe.fonts)
        faces = [choice.face for code in languages for choice in fonts.pool(code, self.source.split).choices]
        free = {face.family: "open font license" in face.licence.lower() or "/OFL" in face.licence for face in faces}
        return [f"{family} (OFL)" if known else family for family, known in sorted(free.items())]

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self) -> Iterator[str]:
        """Yield the texts of one pass, whole also where pieces of them are learnt."""
        return (line.text for line in self.lines)

    def keep(self, kept: Sequence[int]) -> None:
        """Keep only the lines with these numbers."""
        self.relabel([self.lines[i] for i in kept])

    def relabel(self, lines: Sequence[TextLine]) -> None:
        """Render these lines instead."""
        self.lines = list(lines)
        self._begin()

    def aspect(self, position: int) -> float:
        """Return about how many times as wide as high the picture at a position will be."""
        return self.rendered.aspect_of(position)

    def item(self, position: int) -> tuple[np.ndarray, str] | None:
        """Return picture and text, None where no font can write it."""
        sample = self.rendered[position]
        return (sample.image, sample.text) if isinstance(sample, Sample) else None


def open_source(source: TrainSource, seed: int) -> Source:
    """Open one training source. InputError where its folder is missing or holds no line of the split."""
    opened = _stored(source, seed) if source.lines else _rendered(source, seed)
    select(opened, source)
    if source.page is None:
        return opened
    from glyphline.training.pages import compose_pages

    return compose_pages(opened, source)


def _stored(source: TrainSource, seed: int) -> StoredLines:
    return StoredLines(source.lines, source.split, seed, source.augment, source.compose)


def read_texts(corpus: str, split: str) -> tuple[list[TextLine], dict[str, Any]]:
    """Return the lines of a corpus or a text file, and what a model's card says about them. InputError for none."""
    if Storage(corpus).exists(MANIFEST):
        lines, facts = list(read_corpus(corpus, split)), _credited(read_manifest(corpus, "corpus"))
    else:
        lines, facts = _plain_lines(corpus), {}
    if not lines:
        raise InputError(f"{corpus}: no lines of split {split!r}")
    return lines, facts


def _rendered(source: TrainSource, seed: int) -> RenderedSource:
    lines, facts = read_texts(source.corpus, source.split)
    opened = RenderedSource(source, lines, seed)
    opened.facts |= facts | {"fonts": opened.fonts(facts.get("languages", [""]))}
    return opened


def _credited(manifest: Manifest) -> dict[str, Any]:
    """Return what a model's card says about a corpus: its hash, its languages, and whose texts they are."""
    sources = manifest.facts.get("sources", [])
    told = [f"Texts: {s['label']} ({s['language']}), {s['licence']}, {s['address']}" for s in sources]
    return {"manifest": manifest.hash, "languages": manifest.facts.get("languages", []), "credits": told}


def _plain_lines(path: str) -> list[TextLine]:
    from pathlib import Path

    try:
        content = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: neither a corpus nor a UTF-8 text file ({error})") from error
    texts = [normalise(line) for line in content.splitlines()]
    return [TextLine(str(i), text, "", "file", "train") for i, text in enumerate(texts) if text]


def open_validation(source: ValidationSource, seed: int) -> list[Sample]:
    """Read the lines of a validation set, `limit` of them by a fixed draw."""
    from glyphline.manifest import read_lines

    samples = list(read_lines(source.lines, source.split))
    if not samples:
        raise InputError(f"{source.lines}: no lines of split {source.split!r} to validate on")
    if source.limit and len(samples) > source.limit:
        chosen = rng(seed, "validation").permutation(len(samples))[: source.limit]
        samples = [samples[i] for i in sorted(chosen)]
    return samples


class LineItems:
    """All items of a run, by number: the map-style dataset that the loader takes. Sources come by weight, each in its
    own share of the run."""

    def __init__(self, sources: Sequence[tuple[Source, TrainSource]], total: int, seed: int) -> None:
        self.sources, self.total = [source for source, _ in sources], total
        plans = [plan for _, plan in sources]
        self.choice = np.zeros(total, np.uint8)
        draws = rng(seed, "sources").random(total)
        marks = sorted({0.0, 1.0, *(plan.begin for plan in plans), *(plan.end for plan in plans)})
        for begin, end in zip(marks, marks[1:], strict=False):
            shares = np.array([plan.weight if plan.begin <= begin < plan.end else 0.0 for plan in plans])
            if not shares.any():
                raise InputError(f"data.train: no source is used between {begin:.0%} and {end:.0%} of the run")
            here = slice(round(begin * total), round(end * total))
            bounds = np.cumsum(shares) / shares.sum()
            self.choice[here] = np.searchsorted(bounds, draws[here], side="right")
        self.position = np.zeros(total, np.int64)
        for number in range(len(plans)):
            mine = self.choice == number
            self.position[mine] = np.arange(int(mine.sum()))

    def __len__(self) -> int:
        return self.total

    def whole_texts(self) -> list[str]:
        """Return the texts of all sources, each once."""
        return list(dict.fromkeys(text for source in self.sources for text in source.texts()))

    def aspect(self, index: int) -> float:
        """Return about how many times as wide as high an item's picture is."""
        return self.sources[self.choice[index]].aspect(int(self.position[index]))

    def __getitem__(self, index: int) -> tuple[np.ndarray, str] | None:
        return self.sources[self.choice[index]].item(int(self.position[index]))


class BucketBatches:
    """Batches of items of like width: windows of steps are sorted by width, then the steps are shuffled.

    A step is `parts` batches that follow one another, dealt to processes or accumulated: the lines of a step are the
    same however it is divided. Every batch depends on its number alone, so a resumed run skips to it without reading.
    """

    def __init__(self, items: LineItems, batch_size: int, window: int, seed: int, parts: int = 1) -> None:
        self.items, self.batch_size, self.window, self.seed = items, batch_size, max(1, window), seed
        self.parts = parts
        self.drop_last = False

    def __len__(self) -> int:
        return -(-len(self.items) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        step = self.batch_size * self.parts
        for number, start in enumerate(range(0, len(self.items), step * self.window)):
            indices = np.arange(start, min(start + step * self.window, len(self.items)))
            aspects = _filled(np.array([self.items.aspect(int(index)) for index in indices]))
            indices = indices[np.argsort(aspects, kind="stable")]
            steps = [indices[i : i + step] for i in range(0, len(indices), step)]
            for place in rng(self.seed, "window", number).permutation(len(steps)):
                for i in range(0, len(steps[place]), self.batch_size):
                    yield [int(index) for index in steps[place][i : i + self.batch_size]]


def _filled(aspects: np.ndarray) -> np.ndarray:
    """Give items without a picture (0) the aspect of the one before, so that they do not fill batches of their own."""
    places = np.where(aspects > 0, np.arange(len(aspects)), 0)
    return aspects[np.maximum.accumulate(places)]


class Collator:
    """Makes a batch: uint8 pixels `(B, C, H, W)` and the label tensors that `Recogniser.labels` makes."""

    def __init__(self, preprocessor: Preprocessor, encode: Any) -> None:  # noqa: ANN401
        self.preprocessor, self.encode = preprocessor, encode

    def __call__(self, items: Sequence[tuple[np.ndarray, str] | None]) -> dict[str, Any]:
        """Return the batch of items; those that are None are left out."""
        present = [item for item in items if item is not None]
        if not present:
            raise InputError("no font can write any line of a batch; run glyphline doctor on this configuration")
        fitted = [self.preprocessor.fit(image) for image, _ in present]
        batch = {"pixel_values": self.preprocessor.stack(fitted)}
        return batch | self.encode([text for _, text in present])


def check_lengths(sources: Sequence[Source], count_tokens: Any, limit: int) -> list[str]:  # noqa: ANN401
    """Leave out lines whose label is over the limit, and return their texts: reported, never cut."""
    over: list[str] = []
    for source in sources:
        if isinstance(source, RenderedSource) and source.source.pieces:
            continue
        if hasattr(source, "limit"):
            source.limit(count_tokens, limit)
        texts = list(source.texts())
        lengths = count_tokens(texts)
        kept = [i for i, length in enumerate(lengths) if length <= limit]
        over += [text for text, length in zip(texts, lengths, strict=True) if length > limit]
        if not kept:
            raise InputError(f"every line is over max_length {limit}; raise it or collect shorter lines")
        if len(kept) < len(texts) and hasattr(source, "keep"):
            source.keep(kept)
        if isinstance(source, StoredLines):
            source.fits = functools.partial(_is_within, count_tokens, limit)
    return over


def check_frames(sources: Sequence[Source], recogniser: Any) -> list[str]:  # noqa: ANN401
    """Leave out stored lines whose pictures have fewer CTC frames than their texts need, and return these texts.

    Such a line has no alignment: it would teach nothing, in silence. Rendered lines are tried by `glyphline doctor`.
    """
    narrow: list[str] = []
    for source in sources:
        if not isinstance(source, StoredLines):
            continue
        have = [
            recogniser.frames_of(decode(image, f"{source.folder}: line {number}"))
            for number, image in enumerate(source.images)
        ]
        need = [recogniser.frames_for(text) for text in source.labels]
        kept = [number for number, (frames, least) in enumerate(zip(have, need, strict=True)) if frames >= least]
        if not kept:
            raise InputError(f"{source.folder}: every line has more letters than CTC frames; take narrower columns")
        narrow += [text for frames, least, text in zip(have, need, source.labels, strict=True) if frames < least]
        if len(kept) < len(have):
            source.keep(kept)
    return narrow


def _is_within(count_tokens: Any, limit: int, text: str) -> bool:  # noqa: ANN401
    return bool(text) and count_tokens([text])[0] <= limit
