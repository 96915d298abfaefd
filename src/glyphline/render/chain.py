"""A recipe's effects, loaded and sorted by stage, run one after the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from glyphline.plugins import load
from glyphline.render.recipe import EffectUse, Recipe
from glyphline.settings import build

STAGES = ("layout", "ink", "crop", "tone", "paper", "picture")


Drawn = tuple[ModuleType, dict[str, Any]]
"""An effect that is to be applied, and the numbers drawn for it."""


@dataclass(frozen=True, slots=True)
class Step:
    """An effect with its settings made."""

    module: ModuleType
    settings: Any
    probability: float
    group: str


class Chain:
    """The steps of a recipe by stage."""

    def __init__(self, recipe: Recipe) -> None:
        self.stages: dict[str, list[Step]] = {stage: [] for stage in STAGES}
        for number, use in enumerate(recipe.effects):
            step = _step(use, f"recipe {recipe.name}: effects.{number} ({use.name})")
            self.stages[use.stage or step.module.STAGE].append(step)
        self.grouped = {stage for stage, steps in self.stages.items() if any(s.group for s in steps)}
        self.plain = len(set(recipe.paper)) == 1 and len(self.stages["paper"]) == 1
        """Whether all paper is of one grey, with one effect: then that may know a shorter way."""
        self.chancy = {stage: any(s.probability < 1 for s in steps) for stage, steps in self.stages.items()}

    def paper(self, shape: tuple[int, int], grey: int, rng: np.random.Generator) -> np.ndarray:
        """Return paper of a grey with the steps of its stage applied; it is not to be written to."""
        drawn = self.draw("paper", rng)
        if self.plain and drawn and hasattr(drawn[0][0], "on_plain"):
            return drawn[0][0].on_plain(shape, grey, drawn[0][1])
        return apply_all(drawn, np.full(shape, grey, np.uint8))

    def run(self, stage: str, image: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401
        """Apply the stage's steps in order, each with its probability; of a group at most one."""
        return apply_all(self.draw(stage, rng), image)

    def draw(self, stage: str, rng: np.random.Generator) -> list[Drawn]:
        """Draw which of the stage's steps are applied, and their numbers."""
        steps = self.stages[stage]
        if self.chancy[stage]:
            chances = rng.random(len(steps)).tolist()
            if stage in self.grouped:
                chances = _divided(steps, chances)
            steps = [step for step, chance in zip(steps, chances, strict=True) if chance < step.probability]
        return [(step.module, step.module.sample(rng, step.settings)) for step in steps]


def apply_all(drawn: list[Drawn], image: Any) -> Any:  # noqa: ANN401
    """Apply drawn effects one after the other."""
    for module, params in drawn:
        image = module.apply(image, params)
    return image


def _divided(steps: list[Step], chances: list[float]) -> list[float]:
    """Return the chances of steps; those of a group divide the unit interval, so that one number decides for all."""
    groups: dict[str, float] = {}
    result = []
    for step, chance in zip(steps, chances, strict=True):
        left = groups.setdefault(step.group, chance) if step.group else chance
        if step.group and left >= 0:
            groups[step.group] = left - step.probability
        result.append(left if left >= 0 else 1.0)
    return result


_SETTINGS: dict[str, Any] = {}


def _step(use: EffectUse, where: str) -> Step:
    module = load("effect", use.name)
    key = f"{module.__name__} {json.dumps(use.settings, sort_keys=True, default=repr)}"
    if key not in _SETTINGS:
        # Checking takes longer than rendering a hundred lines, and mixes and tests use the same effects many times.
        _SETTINGS[key] = build(module.Settings, use.settings, where)
    return Step(module, _SETTINGS[key], use.probability, use.group)


_CHAINS: dict[int, tuple[Recipe, Chain]] = {}


def chain_of(recipe: Recipe) -> Chain:
    """Return the chain of a recipe, made once a process for each recipe object."""
    known = _CHAINS.get(id(recipe))
    if known is None or known[0] is not recipe:
        if len(_CHAINS) > 64:
            _CHAINS.clear()
        known = _CHAINS[id(recipe)] = (recipe, Chain(recipe))
    return known[1]
