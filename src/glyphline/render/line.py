"""A rendered line is a pure function of (recipe, seed, index).

    from glyphline.render.line import RenderedLines, load_recipe

    recipe = load_recipe("document", {"height_px": 48, "fonts": {"folders": ["demo/fonts"]}})
    lines = RenderedLines(texts, recipe, seed=7)     # texts: Sequence[TextLine]
    item = lines[123]                                # Sample, or Drop where no font can write the text

`RenderedLines` is a map-style data set: `len(lines) == len(texts)`; an index from `len(texts)` on is allowed and
belongs to the next pass (epoch) over the texts, in a new order and with new looks. `lines[index]` depends on nothing
but its arguments: no generator, file or process remembers anything, so that any number of DataLoader workers, a
resumed run and a run on another machine see the same pixels. It pickles (spawn workers) and imports no torch.

`Sample.image` is uint8: `(H, W)` grey where neither recipe nor effects bring colour, else `(H, W, 3)` RGB.
`Drop.reason` is one of no_font, no_glyph, no_ink, too_wide, empty, or the trdg engine's own.

`MixedLines` draws from several `RenderedLines` (recipes, languages, sources) by weight; `render_line` makes one line.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from glyphline import seeds
from glyphline.records import Drop, Sample, TextLine
from glyphline.render.bidi import base_direction
from glyphline.render.engines import Refusal, Task, load_engine
from glyphline.render.faces import is_invisible
from glyphline.render.fonts import Choice, catalogue, lacking, language_facts
from glyphline.render.recipe import RECIPE_VERSION, FontSettings, Recipe, load_recipe, merge
from glyphline.settings import InputError

__all__ = ["FontSettings", "MixedLines", "Recipe", "RenderedLines", "load_recipe", "render_line"]

Order = Literal["shuffled", "given"]


def render_line(line: TextLine, recipe: Recipe, seed: int, index: int, wanted: Choice | None = None) -> Sample | Drop:
    """Render one line; the same arguments give the same pixels. A line that cannot be written is a Drop.

    `wanted` is a font to take instead of the one that is drawn, where it has ink for every character.
    """
    if not line.text or all(is_invisible(char) or unicodedata.combining(char) for char in line.text):
        return Drop("empty", line.id, repr(line.text))
    recipe, choice, rng = _looks(line, recipe, seed, index)
    if wanted is not None and not lacking(set(unicodedata.normalize("NFC", line.text)), wanted.chars):
        choice = wanted
    if choice is None:
        pool = catalogue(recipe.fonts).pool(line.language, line.split)
        return Drop("no_font", line.id, _named(pool.missing(unicodedata.normalize("NFC", line.text))))
    task = Task(line, choice, recipe, draw_direction(line))
    image = load_engine(recipe.engine).render(task, rng)
    if isinstance(image, Refusal):
        return Drop(image.reason, line.id, f"{choice.face.key}: {image.detail}")
    return _sample(line, image, _provenance(recipe, choice, seed, index, line.id), seed, index)


def _looks(line: TextLine, recipe: Recipe, seed: int, index: int) -> tuple[Recipe, Choice | None, np.random.Generator]:
    """Draw what comes first: the recipe where several are mixed, the font, and the generator for all that follows."""
    rng = seeds.rng(seed, "line", line.split, index)
    part, text = _mixed(recipe, rng), unicodedata.normalize("NFC", line.text)
    choice = catalogue(part.fonts).pool(line.language, line.split).draw(text, rng)
    if choice is None and part.fonts.kinds != recipe.fonts.kinds:
        # A part that insists on handwriting takes what fonts there are, rather than drop the line.
        choice = catalogue(recipe.fonts).pool(line.language, line.split).draw(text, rng)
    return part, choice, rng


def _sample(line: TextLine, image: np.ndarray, provenance: dict[str, Any], seed: int, index: int) -> Sample:
    name = f"{line.language}-{line.split}-{seed}-{index:09d}"
    return Sample(name, image, line.text, line.language, line.source, line.split, provenance)


def _provenance(recipe: Recipe, choice: Choice, seed: int, index: int, text_id: str) -> dict[str, Any]:
    facts = {
        "font": choice.face.key,
        "recipe": recipe.name,
        "recipe_hash": recipe.hash[:16],
        "recipe_version": RECIPE_VERSION,
        "engine": recipe.engine,
        "seed": seed,
        "index": index,
        "text_id": text_id,
    }
    return facts | ({"companion": choice.companion.key} if choice.companion else {})


def _named(chars: str) -> str:
    """Return characters with their code points: what the list of drops says is missing."""
    return " ".join(f"{char} U+{ord(char):04X}" for char in chars[:8])


def draw_direction(line: TextLine) -> str:
    """Return the direction in which a line runs: its language's, else that of its first strong letter."""
    language = language_facts(line.language)
    return base_direction(line.text) if language is None else language.direction


def _mixed(recipe: Recipe, rng: np.random.Generator) -> Recipe:
    """Return the recipe, or one of those that it mixes."""
    if not recipe.mix:
        return recipe
    parts = mix_parts(recipe)
    return parts[0][int(np.searchsorted(parts[1], rng.random(), side="right"))]


_PARTS: dict[str, tuple[list[Recipe], np.ndarray]] = {}


def mix_parts(recipe: Recipe) -> tuple[list[Recipe], np.ndarray]:
    """Return the recipes of a mix and the upper bounds of their shares of the unit interval."""
    known = _PARTS.get(recipe.hash)
    if known is None or known[0][0].fonts != recipe.fonts:
        shared = {"height_px", "max_width_px", "engine", "orientation"}
        names = [name for name, weight in recipe.mix.items() if weight > 0]
        if not names:
            raise InputError(f"recipe {recipe.name}: mix has no preset with a weight above 0")
        above = {key: getattr(recipe, key) for key in shared}
        recipes = [_with_fonts(load_recipe(name, above), recipe.fonts) for name in names]
        weights = np.array([recipe.mix[name] for name in names], dtype=np.float64)
        known = _PARTS[recipe.hash] = (recipes, np.cumsum(weights) / weights.sum())
    return known


def _with_fonts(part: Recipe, fonts: FontSettings) -> Recipe:
    """Return a recipe of a mix with the mix's fonts; the kinds that the part insists on stay."""
    import dataclasses

    kinds = [kind for kind in part.fonts.kinds if kind in fonts.kinds] or fonts.kinds
    return dataclasses.replace(part, fonts=dataclasses.replace(fonts, kinds=kinds))


class RenderedLines:
    """Lines rendered when asked for: a picklable map-style data set without shared state."""

    def __init__(self, texts: Sequence[TextLine], recipe: Recipe, seed: int, order: Order = "shuffled") -> None:
        self.texts, self.recipe, self.seed, self.order = texts, recipe, seed, order

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Sample | Drop:
        """Return line `index`; from `len(self)` on the next pass. IndexError below 0 or without texts."""
        if index < 0 or not self.texts:
            raise IndexError(f"line {index} of {len(self.texts)} texts")
        return render_line(self.text_of(index), self.recipe, self.seed, index)

    def together(self, indices: Sequence[int], one_hand: bool) -> list[Sample | Drop]:
        """Return the lines of a page; with `one_hand` all in the font of the first, as far as it can write them."""
        wanted = None
        if one_hand and len(indices) > 1:
            wanted = _looks(self.text_of(indices[0]), self.recipe, self.seed, indices[0])[1]
        return [render_line(self.text_of(i), self.recipe, self.seed, i, wanted) for i in indices]

    def aspect_of(self, index: int) -> float:
        """Return about how many times as wide as high line `index` will be, without drawing it; 0 for a drop."""
        from glyphline.render.widths import expected_aspect

        line = self.text_of(index)
        recipe, choice, _ = _looks(line, self.recipe, self.seed, index)
        return expected_aspect(line.text, line.language, choice, recipe) if choice else 0.0

    def text_of(self, index: int) -> TextLine:
        """Return the text of line `index`: each pass takes every text once, in an order of its own."""
        turn, place = divmod(index, len(self.texts))
        if self.order == "given":
            return self.texts[place]
        return self.texts[shuffled(place, len(self.texts), _order_key(self.seed, turn))]


class MixedLines:
    """Several `RenderedLines` drawn from by weight: recipes, languages or sources in fixed proportions."""

    def __init__(self, parts: Sequence[RenderedLines], weights: Sequence[float], seed: int) -> None:
        if len(parts) != len(weights) or not parts or min(weights) < 0 or not sum(weights) > 0:
            raise InputError("a mix needs one weight a part, none negative, not all zero")
        self.parts, self.seed = list(parts), seed
        self.bounds = np.cumsum(np.asarray(weights, dtype=np.float64)) / sum(weights)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __getitem__(self, index: int) -> Sample | Drop:
        """Return line `index` of the part that the index falls to."""
        if index < 0:
            raise IndexError(f"line {index}")
        number = int(np.searchsorted(self.bounds, seeds.share(self.seed, "part", index), side="right"))
        return self.parts[number][index]


def shuffled(place: int, count: int, key: int) -> int:
    """Return where `place` goes in a permutation of `range(count)` fixed by `key`, without making the whole of it.

    A Feistel network over the next power of four, walked until the result is within range (Black and Rogaway, 2002,
    "Ciphers with Arbitrary Finite Domains").
    """
    half = max(1, (max(1, count - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    first, second, third, fourth = _rounds(key, half)
    value = place
    while True:
        left, right = value >> half, value & mask
        left ^= first[right]
        right ^= second[left]
        left ^= third[right]
        right ^= fourth[left]
        value = left << half | right
        if value < count:
            return value


@functools.lru_cache(maxsize=64)
def _order_key(seed: int, turn: int) -> int:
    return seeds.derive(seed, "order", turn)


@functools.lru_cache(maxsize=16)
def _rounds(key: int, half: int) -> tuple[list[int], ...]:
    """Return what each of four rounds makes of each value of half the bits."""
    keys = [seeds.derive(key, "round", number) for number in range(4)]
    values = np.arange(1 << half, dtype=np.uint64)
    tables = []
    for number in keys:
        mixed = (values + np.uint64(number & 0xFFFFFFFFFFFFFFFF)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xBF58476D1CE4E5B9)
        tables.append((mixed >> np.uint64(32) & np.uint64((1 << half) - 1)).tolist())
    return tuple(tables)


def with_overrides(preset: str, *overrides: dict[str, Any]) -> Recipe:
    """Return a preset with several mappings laid over it in turn."""
    merged: dict[str, Any] = {}
    for mapping in overrides:
        merged = merge(merged, mapping)
    return load_recipe(preset, merged)
