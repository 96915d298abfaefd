"""What happens to real pictures at every pass: this project's own effects, or a pipeline of albumentations."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from glyphline.images import to_rgb
from glyphline.optional import need
from glyphline.settings import InputError

PREFIX = "albumentations:"
"""Of an `augment` setting that names a file written by `albumentations.save` instead of a rendering preset."""


def augmented(image: np.ndarray, name: str, generator: np.random.Generator) -> np.ndarray:
    """Return a real picture, changed as `generator` draws it.

    `name` is a rendering preset, whose effects fill with paper and cut no ink, or `albumentations:FILE`, a pipeline
    (YAML or JSON) that may do whatever it says.
    """
    if name.startswith(PREFIX):
        return _pipeline(name.removeprefix(PREFIX))(image, generator)
    from glyphline.render.chain import chain_of

    return chain_of(_preset(name)).run("picture", image, generator)


@functools.lru_cache
def _preset(name: str) -> Any:  # noqa: ANN401
    from glyphline.render.recipe import load_recipe

    return load_recipe(name)


@functools.lru_cache
def _pipeline(path: str) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """Load a pipeline of albumentations (https://albumentations.ai). InputError where the file is none."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for a newer one
    library = need("albumentations", "aug")
    try:
        pipeline = library.load(path, data_format="json" if Path(path).suffix == ".json" else "yaml")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with somebody's file
        raise InputError(f"augment: {path} is no pipeline that albumentations can load ({error})") from error

    def apply(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        pipeline.set_random_seed(int(generator.integers(2**31)))
        return pipeline(image=np.ascontiguousarray(to_rgb(image)))["image"]

    return apply
