"""Which lines of a source are learnt from: not too long, and without characters too rare to be learnt."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from glyphline.settings import InputError
from glyphline.text import graphemes
from glyphline.training.settings import TrainSource

if TYPE_CHECKING:
    from glyphline.training.data import Source

logger = logging.getLogger(__name__)


def select(opened: Source, source: TrainSource) -> None:
    """Leave out the lines that `rarest` and `longest` rule out, and say how many. InputError where none is left."""
    if source.rarest:
        _keep(opened, source, without_rare(list(opened.texts()), source.rarest), f"rarest: {source.rarest}")
    if source.longest:
        kept = [i for i, text in enumerate(opened.texts()) if len(graphemes(text)) <= source.longest]
        _keep(opened, source, kept, f"longest: {source.longest}")


def without_rare(texts: Sequence[str], least: int) -> list[int]:
    """Return the numbers of the texts whose every character occurs in `least` of the texts or more."""
    counts = Counter(character for text in texts for character in set(text))
    rare = {character for character, count in counts.items() if count < least}
    return [number for number, text in enumerate(texts) if rare.isdisjoint(text)]


def _keep(opened: Source, source: TrainSource, kept: list[int], setting: str) -> None:
    name = source.lines or source.corpus
    if not kept:
        raise InputError(f"{name}: no line is left by {setting}")
    logger.info("%s: %d of %d lines left out by %s", name, len(opened) - len(kept), len(opened), setting)
    opened.keep(kept)
