"""When to ask the decoder, and how much to listen to it: chosen on validation lines at the end of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glyphline.evaluation.metrics import count_errors
from glyphline.records import Sample

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
TRUSTS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)


def tune_reading(recogniser: Any, samples: Sequence[Sample]) -> dict[str, float]:  # noqa: ANN401
    """Return `decoder_share` and `trust` with the fewest character errors on `samples`.

    Of equals the smallest trust, which asks the decoder least, then the smallest share. Nothing to choose for models
    that read in one way: an empty dictionary.
    """
    if len(recogniser.modes) < 2 or not samples:
        return {}
    pairs = recogniser.read_pairs([sample.image for sample in samples])
    errors: dict[tuple[int, str], int] = {}

    def wrong(number: int, text: str) -> int:
        if (number, text) not in errors:
            counted = count_errors(samples[number].text, text, recogniser.rules)
            errors[number, text] = counted.edits["cer"]
        return errors[number, text]

    def total(trust: float, share: float) -> int:
        readings = (pair.fast if pair.fast.confidence >= trust else pair.choose(share) for pair in pairs)
        return sum(wrong(number, reading.text) for number, reading in enumerate(readings))

    _, trust, share = min((total(trust, share), trust, share) for trust in TRUSTS for share in SHARES)
    return {"decoder_share": share, "trust": trust}
