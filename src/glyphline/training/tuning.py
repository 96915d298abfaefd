"""When to ask the slower way of reading, and what it listens to: chosen on validation lines at the end of training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from glyphline.evaluation.metrics import count_errors
from glyphline.records import Sample

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
TRUSTS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
LANGUAGE_WEIGHTS = (0.0, 0.15, 0.3, 0.45, 0.6)
LENGTH_BONUSES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)


def tune_reading(recogniser: Any, samples: Sequence[Sample]) -> dict[str, float]:  # noqa: ANN401
    """Return those of the model's settings of reading with the fewest character errors on `samples`.

    Nothing to choose for models that read in one way: an empty dictionary.
    """
    if len(recogniser.modes) < 2 or not samples:
        return {}

    @functools.cache
    def wrong(number: int, text: str) -> int:
        return count_errors(samples[number].text, text, recogniser.rules).edits["cer"]

    images = [sample.image for sample in samples]
    if hasattr(recogniser, "read_drafts"):
        return _tune_beam(recogniser, images, wrong)
    return _tune_decoder(recogniser, images, wrong)


def _tune_decoder(recogniser: Any, images: Sequence[Any], wrong: Callable[[int, str], int]) -> dict[str, float]:  # noqa: ANN401
    """Return `decoder_share` and `trust`: of equals the smallest trust, which asks the decoder least, then share."""
    pairs = recogniser.read_pairs(images)

    def total(trust: float, share: float) -> int:
        readings = (pair.fast if pair.fast.confidence >= trust else pair.choose(share) for pair in pairs)
        return sum(wrong(number, reading.text) for number, reading in enumerate(readings))

    _, trust, share = min((total(trust, share), trust, share) for trust in TRUSTS for share in SHARES)
    return {"decoder_share": share, "trust": trust}


def _tune_beam(recogniser: Any, images: Sequence[Any], wrong: Callable[[int, str], int]) -> dict[str, float]:  # noqa: ANN401
    """Return `language_weight`, `length_bonus` and `trust`: of equals the smallest trust, then weight, then bonus."""
    drafts = recogniser.read_drafts(images)
    tried = []
    for weight in LANGUAGE_WEIGHTS if recogniser.language else (0.0,):
        for bonus in LENGTH_BONUSES if weight else (0.0,):
            texts = [recogniser.read_beam(frames, weight, bonus).text for _, frames in drafts]
            for trust in (0.0, *TRUSTS):
                chosen = (
                    fast.text if fast.confidence >= trust else slow
                    for (fast, _), slow in zip(drafts, texts, strict=True)
                )  # fmt: skip
                tried.append((sum(wrong(*pair) for pair in enumerate(chosen)), trust, weight, bonus))
    _, trust, weight, bonus = min(tried)
    return {"language_weight": weight, "length_bonus": bonus, "trust": trust}
