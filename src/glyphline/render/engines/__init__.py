"""One file an engine: `render(task, rng) -> image | Refusal` draws one line in a font that is known to have its ink."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import ModuleType

from glyphline.plugins import load
from glyphline.records import TextLine
from glyphline.render.fonts import Choice
from glyphline.render.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Task:
    """One line to draw."""

    line: TextLine
    choice: Choice
    recipe: Recipe
    direction: str
    """Direction of the line as a whole: ltr or rtl."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an engine made no picture; becomes a counted drop."""

    reason: str
    detail: str = ""


@functools.cache
def load_engine(name: str) -> ModuleType:
    """Return an engine by name, looked up once a process."""
    return load("engine", name)
