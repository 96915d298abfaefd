"""How lines look: the recipe, its presets, and the version that every rendered line carries."""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from glyphline.manifest import digest
from glyphline.settings import InputError, build, identity, read_yaml, suggest

RECIPE_VERSION = 3
"""Counts changes of pixels: the same recipe, seed and index give the same picture under the same version."""

Stage = Literal["layout", "ink", "crop", "tone", "paper", "picture"]


@dataclass(frozen=True)
class FontSettings:
    """Which fonts are drawn from, and how often each."""

    folders: list[str] = field(default_factory=list)
    """Folders (searched through) or font files. Empty: the fonts installed on the system."""
    kinds: list[str] = field(default_factory=lambda: ["print", "hand"])
    """Which kinds to use: print, hand."""
    families: list[str] = field(default_factory=list)
    """Only these families. Empty: all."""
    exclude: list[str] = field(default_factory=list)
    """Families that are never used."""
    weights: dict[str, float] = field(default_factory=dict)
    """Relative frequency of a family; 1 where not named. Ten weights of one family share the family's frequency."""
    held_out: float = 0.0
    """Share of families that are kept for validation and again for test, at least one of each where there are three
    or more of a script; 0 lets all splits use all fonts."""
    validation_families: list[str] = field(default_factory=list)
    """Families for validation only; go before `held_out`."""
    test_families: list[str] = field(default_factory=list)
    """Families for test only; go before `held_out`."""

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in ("print", "hand"):
                raise InputError(f"fonts.kinds: {kind!r} is no kind of font{suggest(kind, ['print', 'hand'])}")
        if not 0 <= self.held_out <= 0.4:
            raise InputError("fonts.held_out: a share between 0 and 0.4")


@dataclass(frozen=True)
class EffectUse:
    """One step of a recipe: an effect, how often, and how strong."""

    name: str
    """File name of the effect in render/effects, or the dotted name of somebody else's module."""
    probability: float = 1.0
    """How often it is applied."""
    group: str = ""
    """Effects of one group exclude each other; their probabilities add up to at most 1."""
    stage: Stage | None = None
    """Apply at another stage than the effect's own: skew on ink leaves the paper straight."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the effect."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise InputError(f"effect {self.name}: probability must be between 0 and 1, not {self.probability}")


@dataclass(frozen=True)
class TrdgSettings:
    """The options of TextRecognitionDataGenerator that make sense for given strings, by its own names and defaults."""

    skew_angle: int = 0
    """-k: degrees of skew."""
    random_skew: bool = False
    """-rk: skew between minus and plus that angle."""
    blur: int = 0
    """-bl: radius of the Gaussian blur, in pixels."""
    random_blur: bool = False
    """-rbl: blur between 0 and that radius."""
    background: Literal[0, 1, 2, 3] = 0
    """-b: 0 Gaussian noise, 1 plain white, 2 quasicrystal, 3 pictures from `image_dir`."""
    distorsion: Literal[0, 1, 2, 3] = 0
    """-d: 0 none, 1 sine, 2 cosine, 3 random."""
    distorsion_orientation: Literal[0, 1, 2] = 0
    """-do: 0 vertical, 1 horizontal, 2 both."""
    width: int = -1
    """-wd: width of the picture in pixels; -1 as wide as the text."""
    alignment: Literal[0, 1, 2] = 1
    """-al: with a width, 0 left, 1 centre, 2 right."""
    orientation: Literal[0, 1] = 0
    """-or: 0 horizontal, 1 vertical."""
    text_color: str = "#282828"
    """-tc: colour, or two as a range: #000000,#888888."""
    space_width: float = 1.0
    """-sw: width of a space, 1 is the font's."""
    character_spacing: int = 0
    """-cs: pixels between characters."""
    margins: str = "5,5,5,5"
    """-m: pixels top, left, bottom, right (one number: all)."""
    fit: bool = False
    """-fi: cut the margin between text and the font's own box."""
    image_dir: str = ""
    """-id: folder of background pictures for -b 3."""
    case: Literal["", "upper", "lower"] = ""
    """-ca: draw in upper or lower case; the label too."""
    word_split: bool = False
    """-ws: draw word by word instead of character by character (trdg engine; native always shapes whole lines)."""
    stroke_width: int = 0
    """-stw: width of the outline in pixels."""
    stroke_fill: str = "#282828"
    """-stf: colour of the outline."""
    image_mode: Literal["RGB", "L"] = "RGB"
    """-im: colour or grey pictures."""


@dataclass(frozen=True)
class Recipe:
    """Everything that a line's looks depend on, but for its text, the seed and the index."""

    name: str = "custom"
    """What the recipe is called in provenance and on contact sheets."""
    engine: str = "native"
    """native or trdg."""
    height_px: int = 64
    """Height of the picture (width where the text runs vertically)."""
    max_width_px: int = 4096
    """A wider picture is a drop."""
    fit: Literal["font", "ink"] = "font"
    """What fills the height: the font's letters in general (sizes agree from line to line), or this text's ink."""
    fill: float = 0.75
    """Share of the height that it fills."""
    orientation: Literal["horizontal", "vertical"] = "horizontal"
    """Direction of the line; vertical is for ko, ja and zh."""
    width_px: int = 0
    """Least width of the picture (height of a vertical line); wider text makes it wider. 0: as wide as the text."""
    align: Literal["left", "center", "right"] = "left"
    """Where the text stands in a picture that is wider."""
    stroke_px: int = 0
    """Width of an outline around the letters."""
    stroke_color: str = "#282828"
    """Colour of the outline."""
    color: bool = False
    """RGB pictures; otherwise grey where no effect brings colour."""
    ink: list[int] = field(default_factory=lambda: [0, 60])
    """Darkest and lightest grey of the ink."""
    paper: list[int] = field(default_factory=lambda: [235, 255])
    """Darkest and lightest grey of plain paper."""
    fonts: FontSettings = field(default_factory=FontSettings)
    """Fonts."""
    effects: list[EffectUse] = field(default_factory=list)
    """What is done to layout, ink, paper and picture, in this order within each stage."""
    trdg: TrdgSettings = field(default_factory=TrdgSettings)
    """Options of the trdg engine."""
    mix: dict[str, float] = field(default_factory=dict)
    """Other presets and how often each is drawn instead of this one."""

    def __post_init__(self) -> None:
        if not 8 <= self.height_px <= 1024:
            raise InputError(f"height_px: between 8 and 1024, not {self.height_px}")
        if not 0.1 <= self.fill <= 1:
            raise InputError(f"fill: between 0.1 and 1, not {self.fill}")
        for key in ("ink", "paper"):
            value = getattr(self, key)
            if len(value) != 2 or not 0 <= value[0] <= value[1] <= 255:
                raise InputError(f"{key}: two grey values in order between 0 and 255, not {value}")

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the recipe and RECIPE_VERSION; font and photograph folders count by content elsewhere."""
        plain = identity(self)
        plain["fonts"].pop("folders")
        return digest({"recipe": plain, "version": RECIPE_VERSION})


def preset_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = importlib.resources.files("glyphline.render") / "presets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_preset(preset: str) -> dict[str, Any]:
    """Return a preset's mapping, by name or from a YAML file. InputError lists the names there are."""
    if preset.endswith((".yaml", ".yml")) or "/" in preset:
        return {"name": Path(preset).stem} | read_yaml(preset)
    names = preset_names()
    if preset not in names:
        raise InputError(f"no preset called {preset!r}{suggest(preset, names)}")
    with importlib.resources.as_file(importlib.resources.files("glyphline.render") / "presets") as folder:
        return {"name": preset} | read_yaml(folder / f"{preset}.yaml")


def load_recipe(preset: str = "clean", overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Return a preset (name or YAML file) with `overrides` laid over it, nested mappings key by key."""
    mapping = merge(read_preset(preset), overrides or {})
    key = json.dumps(mapping, sort_keys=True, default=repr)
    if key not in _RECIPES:
        if len(_RECIPES) > 64:
            _RECIPES.clear()
        _RECIPES[key] = make_recipe(mapping, f"preset {preset}")
    return _RECIPES[key]


_RECIPES: dict[str, Recipe] = {}
"""Recipes by what they were made from: they never change, and checking one takes a tenth of a second."""


def make_recipe(mapping: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe of a mapping; `where` names it in InputErrors."""
    uses = mapping.get("effects") or []
    if not isinstance(uses, list) or not all(isinstance(use, Mapping) for use in uses):
        raise InputError(f"{where}: effects must be a list of mappings with a name")
    # The effects' own settings go round the type checker, which would read "#282828" as a comment; their effects
    # check them.
    bare = [{key: value for key, value in use.items() if key != "settings"} for use in uses]
    recipe = build(Recipe, {**mapping, "effects": bare}, where)
    own = [dict(use.get("settings") or {}) for use in uses]
    return replace(recipe, effects=[replace(u, settings=s) for u, s in zip(recipe.effects, own, strict=True)])


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with `above` laid over it; mappings are merged, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result
