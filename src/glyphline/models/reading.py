"""Reading by CTC: the best path, or a beam search that knows the language of the training texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glyphline.models import beam, ctc
from glyphline.models.card import LANGUAGE
from glyphline.models.ngram import NGrams, load_ngrams
from glyphline.records import Reading
from glyphline.settings import InputError
from glyphline.text import normalise

STEERING = ("language_texts", "language_entries", "beam_width", "language_weight", "length_bonus", "trust")
"""What reading listens to, and may be changed on a model that exists."""


@dataclass(frozen=True)
class ReadingSettings:
    """How a model with a CTC head reads: the part of a family's settings that all share."""

    language_order: int = 4
    """Characters of the longest sequences that the n-gram model counts in the training texts; 0 has none."""
    language_texts: int = 500_000
    """Training texts that are counted at most, evenly drawn from all."""
    language_entries: int = 1_000_000
    """Sequences that are kept at most, some 8 bytes each; of those of three characters and more the rarest go first."""
    beam_width: int = 8
    """Texts that the beam search follows."""
    language_weight: float = 0.4
    """Weight of the n-gram model in the beam search; training tunes it on validation."""
    length_bonus: float = 1.2
    """Bonus of the beam search for each character; training tunes it on validation."""
    trust: float = 1.0
    """Confidence of CTC's best path from which nothing else is asked; training tunes it on validation."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name in ("beam_width", "language_texts", "language_entries"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: must be 1 or more")
        for name in ("language_order", "language_weight"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} {getattr(self, name)}: must not be negative")
        if not 0.0 <= self.trust <= 1.0:
            raise InputError(f"trust {self.trust}: must be between 0 and 1")


@dataclass(frozen=True, slots=True)
class Opinions:
    """What a model makes of one picture: CTC's best path, the text that CTC settles on, and perhaps a decoder's.

    `scores[branch][text]` is a log-probability; 0 is CTC (with the language model, if there is one), 1 the decoder, for
    branches and texts alike.
    """

    path: Reading
    fast: Reading
    slow: Reading | None = None
    scores: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))

    def choose(self, share: float) -> Reading:
        """Return the reading that is likelier with so much weight on the decoder's opinion, 0 to 1; 0 does not ask."""
        if self.slow is None or not share:
            return self.fast
        if self.fast.text == self.slow.text:
            return Reading(self.fast.text, max(self.fast.confidence, self.slow.confidence), "auto")
        by_text = [(1 - share) * self.scores[0][text] + share * self.scores[1][text] for text in (0, 1)]
        winner = self.fast if by_text[0] >= by_text[1] else self.slow
        return Reading(winner.text, min(self.fast.confidence, self.slow.confidence), winner.mode)


class CtcReading:
    """Mixed into a recogniser that has `encode`, `frames`, a charset and `ReadingSettings` among its options."""

    options: Any
    language: NGrams | None = None

    @property
    def modes(self) -> tuple[str, ...]:
        """`ctc` takes the best path, `beam` the best text that it finds, the language minded, once that is learnt."""
        return ("ctc", "beam") if self.language else ("ctc",)

    def frames(self, states: Any) -> Sequence[np.ndarray]:  # noqa: ANN401
        """Return CTC log-probabilities of each picture `(T, 1 + characters)` of what `encode` gives."""
        raise TypeError(f"{type(self).__name__} has no frames")

    def read_batch(self, pixels: torch.Tensor, modes: Sequence[str]) -> dict[str, list[Reading]]:
        """Read a batch by each mode, encoding it once; `auto` looks twice where the best path is in doubt."""
        return self._read_states(self.encode(pixels), modes)

    def _read_states(
        self,
        states: Any,
        modes: Sequence[str],
        decoded: Sequence[Reading] | None = None,  # noqa: ANN401
    ) -> dict[str, list[Reading]]:
        """Read what `encode` gives; `decoded` is what a decoder is known to read in it."""
        frames = self.frames(states)
        read = {"ctc": [self.read_path(one) for one in frames]}
        if "beam" in modes:
            read["beam"] = [self.read_beam(beam.sparse(one)) for one in frames]
        if "auto" in modes:
            read["auto"] = list(read["ctc"])
            doubtful = [i for i, reading in enumerate(read["ctc"]) if reading.confidence < self.options.trust]
            if doubtful and len(self.modes) > 1:
                slow = None if decoded is None else [decoded[i] for i in doubtful]
                again = self._read_again(states, [frames[i] for i in doubtful], doubtful, slow)
                for i, reading in zip(doubtful, again, strict=True):
                    read["auto"][i] = reading
        return {mode: read[mode] for mode in modes}

    def _read_again(
        self,
        states: Any,
        frames: Sequence[np.ndarray],
        rows: Sequence[int],
        slow: Sequence[Reading] | None,  # noqa: ANN401, ARG002
    ) -> list[Reading]:
        """Read those rows of a batch, whose frames these are, with all that the model has."""
        return [self.read_fast(one) for one in frames]

    def read_fast(self, frames: np.ndarray) -> Reading:
        """Read one picture's `(T, V)` log-probabilities: with the language in mind where there is one."""
        return self.read_beam(beam.sparse(frames)) if self.language else self.read_path(frames)

    def read_path(self, frames: np.ndarray) -> Reading:
        """Read one picture's `(T, V)` log-probabilities along the best path."""
        labels, confidence = ctc.greedy(frames)
        return Reading(self.text_of(labels), confidence, "ctc")

    def read_beam(self, frames: beam.Frames, weight: float | None = None, bonus: float | None = None) -> Reading:
        """Read one picture by beam search, with the weights of the options unless others are given."""
        if weight is None or bonus is None:
            options = self.options
            weight, bonus = (options.language_weight, options.length_bonus) if self.language else (0.0, 0.0)
        labels, confidence = beam.best(frames, beam.Search(self.options.beam_width, self.language, weight, bonus))
        return Reading(self.text_of(labels), confidence, "beam")

    def text_of(self, labels: Sequence[int]) -> str:
        """Return the text of CTC labels, by the model's text rules."""
        return normalise("".join(self.card.charset[label - 1] for label in labels), self.rules).strip()

    def likelihood(self, frames: np.ndarray, text: str) -> float:
        """Return log p(text | picture) by CTC, with the language's say and the bonus where there is a language."""
        labels = self.labels.characters(text)
        found = ctc.log_likelihood(frames, labels)
        if self.language:
            said = self.options.language_weight * self.language.log_probability(labels)
            found += said + self.options.length_bonus * len(labels)
        return found

    def read_drafts(self, images: Sequence[np.ndarray], batch_size: int = 32) -> list[beam.Frames]:
        """Return what the beam search starts from, of each picture, in the order given."""
        return self._each(images, batch_size, lambda states: [beam.sparse(one) for one in self.frames(states)])

    def read_opinions(self, images: Sequence[np.ndarray], batch_size: int = 32) -> list[Opinions]:
        """Read pictures with all that the model has, in the order given."""
        return self._each(images, batch_size, lambda states: self._opinions(states, self.frames(states)))

    def _opinions(self, states: Any, frames: Sequence[np.ndarray]) -> list[Opinions]:  # noqa: ANN401, ARG002
        return [Opinions(self.read_path(one), self.read_fast(one)) for one in frames]

    @torch.inference_mode()
    def _each(self, images: Sequence[np.ndarray], batch_size: int, made: Any) -> list[Any]:  # noqa: ANN401
        """Return what `made` gives for each picture, in the order given."""
        fitted = [self.preprocessor.fit(image) for image in images]
        found: dict[int, Any] = {}
        for chosen in self._batches([picture.shape[:2] for picture in fitted], batch_size):
            states = self.encode(self.preprocessor.stack([fitted[i] for i in chosen]).to(self.device))
            found |= zip(chosen, made(states), strict=True)
        return [found[i] for i in range(len(fitted))]

    def learn_language(self, texts: Sequence[str]) -> None:
        """Count the texts for the n-gram model, beside what it has counted before."""
        if not self.options.language_order or not texts:
            return
        if self.language is None:
            self.language = NGrams(len(self.card.charset) + 1, self.options.language_order)
        step = -(-len(texts) // self.options.language_texts)
        self.language.learn([self.labels.characters(text) for text in texts[::step]])
        self.language.prune(self.options.language_entries)

    def widen_language(self) -> None:
        """Make room for characters that the charset has got."""
        if self.language is not None:
            self.language.widen(len(self.card.charset) + 1)

    def save_language(self, folder: str | Path) -> None:
        """Write the n-gram model beside the weights, once there is one."""
        if self.language is not None:
            self.language.save(Path(folder) / LANGUAGE)

    def load_language(self, folder: str | Path) -> None:
        """Read the n-gram model of a model folder, if it has one."""
        if (Path(folder) / LANGUAGE).exists():
            self.language = load_ngrams(Path(folder) / LANGUAGE)
