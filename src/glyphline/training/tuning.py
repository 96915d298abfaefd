"""When to look twice, and what reading listens to then: chosen on validation lines at the end of training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from glyphline.evaluation.metrics import count_errors
from glyphline.records import Sample

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
TRUSTS = (0.0, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
BONUSES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
"""Bonus for a character, by weight of the language model."""
USUAL = 3.0
ENOUGH = 200
"""Lines that the language model's weight is chosen on."""
Wrong = Callable[[int, str], int]


def tune_reading(recogniser: Any, samples: Sequence[Sample]) -> dict[str, float]:  # noqa: ANN401
    """Choose the model's settings of reading with the fewest character errors on `samples`, set and return them.

    Nothing to choose for models that read in one way: an empty dictionary.
    """
    if len(recogniser.modes) < 2 or not samples:
        return {}
    images = [sample.image for sample in samples]

    @functools.cache
    def wrong(number: int, text: str) -> int:
        return count_errors(samples[number].text, text, recogniser.rules).edits["cer"]

    chosen: dict[str, float] = {}
    if "beam" in recogniser.modes:
        chosen = _language(recogniser, images, wrong)
        recogniser.retune(chosen)
    chosen |= _second_look(recogniser, images, wrong)
    recogniser.retune(chosen)
    return chosen


def _language(recogniser: Any, images: Sequence[Any], wrong: Wrong) -> dict[str, float]:  # noqa: ANN401
    """Return `language_weight` and `length_bonus`: first the weight with a usual bonus, then the bonus."""
    step = -(-len(images) // ENOUGH)
    drafts = recogniser.read_drafts(images[::step])

    @functools.cache
    def total(weight: float, bonus: float) -> int:
        texts = [recogniser.read_beam(frames, weight, weight * bonus).text for frames in drafts]
        return sum(wrong(number * step, text) for number, text in enumerate(texts))

    _, weight = min((total(weight, USUAL), weight) for weight in WEIGHTS)
    _, _, bonus = min((total(weight, bonus), abs(bonus - USUAL), bonus) for bonus in BONUSES)
    return {"language_weight": weight, "length_bonus": round(weight * bonus, 3)}


def _second_look(recogniser: Any, images: Sequence[Any], wrong: Wrong) -> dict[str, float]:  # noqa: ANN401
    """Return `trust` and, with a decoder, `decoder_share`: of equals the smallest, trust first."""
    opinions = recogniser.read_opinions(images)
    has_decoder = "decoder" in recogniser.modes

    def total(trust: float, share: float) -> int:
        readings = (one.path if one.path.confidence >= trust else one.choose(share) for one in opinions)
        return sum(wrong(number, reading.text) for number, reading in enumerate(readings))

    shares = SHARES if has_decoder else (0.0,)
    _, trust, share = min((total(trust, share), trust, share) for trust in TRUSTS for share in shares)
    return {"decoder_share": share, "trust": trust} if has_decoder else {"trust": trust}
