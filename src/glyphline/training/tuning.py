"""When to look twice, and what reading listens to then: chosen on validation lines at the end of training, or later by
`glyphline tune`."""

from __future__ import annotations

import functools
import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glyphline.evaluation.metrics import count_errors
from glyphline.models import load_recogniser
from glyphline.records import Sample
from glyphline.settings import InputError, command, execution, identity
from glyphline.text import normalise

logger = logging.getLogger(__name__)

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
TRUSTS = (0.0, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
BONUSES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
"""Bonus for a character, by weight of the language model."""
USUAL = 3.0
ENOUGH = 200
"""Lines that the language model's weight is chosen on."""
PAYS = 0.05
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
    """Return `trust` and, with a decoder, `decoder_share`: of equals the smallest, trust first.

    The decoder, which takes most of the time, is asked only where that saves a share `PAYS` of the errors.
    """
    opinions = recogniser.read_opinions(images)
    has_decoder = "decoder" in recogniser.modes

    def total(trust: float, share: float) -> int:
        readings = (one.path if one.path.confidence >= trust else one.choose(share) for one in opinions)
        return sum(wrong(number, reading.text) for number, reading in enumerate(readings))

    alone, trust, share = min((total(trust, 0.0), trust, 0.0) for trust in TRUSTS)
    if has_decoder:
        asked = min((total(trust, share), trust, share) for trust in TRUSTS for share in SHARES)
        trust, share = asked[1:] if asked[0] < (1 - PAYS) * alone else (trust, share)
    return {"decoder_share": share, "trust": trust} if has_decoder else {"trust": trust}


@dataclass(frozen=True)
class TuneSettings:
    """How a finished model is to read: what language it minds, and when it looks twice."""

    model: str = ""
    """Model folder, run folder, shipped model or name on the hub."""
    corpus: str = ""
    """Corpus, or UTF-8 text file with a line for each, whose n-grams the model counts; none: those it has stay."""
    corpus_split: str = "train"
    """Split of the corpus that is counted."""
    afresh: bool = False
    """Forget the n-grams that the model has counted before."""
    lines: str = ""
    """Folder of lines that the settings of reading are chosen on; without it they stay as they are."""
    split: str = "validation"
    """Split of these lines."""
    limit: int = 400
    """Lines that are read at most, by a fixed draw; 0 reads all."""
    options: dict[str, Any] = field(default_factory=dict)
    """Settings of the model's family that steer reading, such as beam_width: 16."""
    output: str = execution("")
    """Folder to make, with the model as it reads then."""
    device: str = execution("auto")
    """auto, cpu or cuda."""


@command(
    TuneSettings,
    name="tune",
    example="glyphline tune --model ko-tiny --corpus archive.txt --lines out/handwriting --output out/tuned",
    aliases={"--weights": "--model"},
)
def main(settings: TuneSettings) -> None:
    """Let a model read with the language of other texts in mind, and choose anew how it reads; weights stay."""
    for name in ("model", "output"):
        if not getattr(settings, name):
            raise InputError(f"--{name} is missing")
    folder = Path(settings.output)
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: not empty; name another folder, or delete this one")
    if not settings.corpus and not settings.lines and not settings.options:
        raise InputError("--corpus, --lines or --options is required: nothing to change otherwise")
    samples = _validation(settings)
    recogniser = load_recogniser(settings.model, settings.device)
    recogniser.retune(settings.options)
    noted: dict[str, Any] = {"settings": identity(settings), "sources": []}
    if settings.corpus:
        noted["sources"] = [_listen(recogniser, settings)]
    noted["chosen"] = tune_reading(recogniser, samples)
    number = 1 + sum(name.startswith("tune") for name in recogniser.card.data)
    recogniser.card.data[f"tune{number}"] = noted
    beside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    recogniser.save_pretrained(beside)
    beside.replace(folder)
    sys.stdout.write("".join(f"{name}: {value:g}\n" for name, value in noted["chosen"].items()) + f"model: {folder}\n")


def _validation(settings: TuneSettings) -> list[Sample]:
    from glyphline.training.data import open_validation
    from glyphline.training.settings import ValidationSource

    if not settings.lines:
        return []
    return open_validation(ValidationSource(settings.lines, settings.split, settings.limit), 0)


def _listen(recogniser: Any, settings: TuneSettings) -> dict[str, Any]:  # noqa: ANN401
    """Count a corpus's texts and return its facts. InputError for a model that has no use for them."""
    from glyphline.training.data import read_texts

    if settings.afresh:
        recogniser.language = None
    lines, facts = read_texts(settings.corpus, settings.corpus_split)
    texts = list(dict.fromkeys(normalise(line.text, recogniser.rules) for line in lines))
    recogniser.learn_language(texts)
    if getattr(recogniser, "language", None) is None:
        raise InputError(f"{settings.model}: has no CTC head, or language_order 0: it does not read with n-grams")
    logger.info("%d texts of %s counted", len(texts), settings.corpus)
    return {"kind": "n-grams", "lines": len(texts), **facts}
