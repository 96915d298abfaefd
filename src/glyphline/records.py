"""The records that cross every boundary between stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of running text: what `collect` writes and `render` reads."""

    id: str
    text: str
    language: str
    source: str
    split: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One line image with its text, rendered or real: what `render` and `prepare` write and `train` and `score` read.

    `image` is uint8, `(H, W)` grey or `(H, W, 3)` RGB. `provenance` is JSON-serialisable: font, recipe, seed and
    index of a rendered line; writer, page and file of a real one.
    """

    id: str
    image: np.ndarray
    text: str
    language: str
    source: str
    split: str
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model read in one line image; `confidence` is between 0 and 1, `mode` names the branch that read it."""

    text: str
    confidence: float
    mode: str


@dataclass(frozen=True, slots=True)
class Drop:
    """An item that was left out: `reason` is counted in the manifest, `item` and `detail` are listed in drops.jsonl."""

    reason: str
    item: str
    detail: str = ""
