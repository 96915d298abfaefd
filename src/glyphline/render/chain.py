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
        self.chancy = {stage: any(s.probability < 1 for s in steps) for stage, steps in self.stages.items()}

    def paper(self, shape: tuple[int, int], grey: int, rng: np.random.Generator) -> np.ndarray:
        """Return plain paper of a grey with the steps of its stage applied; a first effect may know a shorter way."""
        steps = self.stages["paper"]
        if len(steps) != 1 or self.chancy["paper"] or not hasattr(steps[0].module, "on_plain"):
            return self.run("paper", np.full(shape, grey, np.uint8), rng)
        return steps[0].module.on_plain(shape, grey, steps[0].module.sample(rng, steps[0].settings))

    def run(self, stage: str, image: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401
        """Apply the stage's steps in order, each with its probability; of a group at most one."""
        steps = self.stages[stage]
        if not steps:
            return image
        chances = rng.random(len(steps)).tolist() if self.chancy[stage] else [0.0] * len(steps)
        groups: dict[str, float] = {}
        for step, chance in zip(steps, chances, strict=True):
            if step.group:
                # One number decides for the whole group: its members divide the unit interval.
                left = groups.setdefault(step.group, chance)
                groups[step.group] = left - step.probability if left >= 0 else left
                if not 0 <= left < step.probability:
                    continue
            elif chance >= step.probability:
                continue
            image = step.module.apply(image, step.module.sample(rng, step.settings))
        return image


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
