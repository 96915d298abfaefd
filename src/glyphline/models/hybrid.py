"""Reading by CTC and by a decoder: each alone, or the decoder asked only where CTC is in doubt.

Where both differ, the text wins that both together find likelier (Watanabe et al., hybrid CTC/attention, JSTSP 2017):
two hypotheses rescored, not a joint beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutput

from glyphline.models import reading
from glyphline.models.labels import pad
from glyphline.models.reading import CtcReading, Opinions, ReadingSettings
from glyphline.models.tokenizer import is_by_character, unknown_characters
from glyphline.records import Reading
from glyphline.settings import InputError
from glyphline.text import normalise

IMPOSSIBLE = -1e30
"""Log-probability of what a branch cannot write; finite, so that a weight of 0 leaves it without a say."""
SHARES = ("ctc_weight", "label_smoothing", "decoder_noise", "decoder_share")
STEERING = (*SHARES, "guidance", *reading.STEERING)
"""What steers the loss or reading, and may be changed on a model that exists."""


@dataclass(frozen=True)
class HybridSettings(ReadingSettings):
    """How encoder, CTC head and decoder learn and read together: the part of a family's settings that all share."""

    ctc: bool = True
    """Add a CTC head on the encoder."""
    ctc_weight: float = 0.5
    """Share of the CTC loss in the joint loss; the decoder's has the rest. With 1 the decoder is neither computed nor
    trained nor read by: a cheap first stage from random weights, whose encoder a decoder then learns from quickly."""
    guidance: float = 0.3
    """Weight of a further loss that draws the decoder's attention to where CTC finds each character; without effect
    for tokenizers that do not write one token a character."""
    label_smoothing: float = 0.0
    """Share of the decoder's target probability that is spread over all tokens."""
    decoder_noise: float = 0.0
    """Share of the decoder's input tokens that training replaces by random ones, so that it has to look at the picture
    instead of guessing how a text it knows by heart goes on."""
    decoder_share: float = 0.5
    """Weight of the decoder's opinion, beside CTC's, where both read differently; 0 does not ask it. Training tunes it
    on validation."""

    def __post_init__(self) -> None:
        """Refuse weights that are no share."""
        super().__post_init__()
        for name in SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} {getattr(self, name)}: must be between 0 and 1")
        if self.guidance < 0:
            raise InputError(f"guidance {self.guidance}: must not be negative")


class HybridReading(CtcReading):
    """Mixed into a recogniser that has `encode`, `ctc_log_probs`, `generate`, `ctc_head` and `HybridSettings`."""

    ctc_head: Any
    can_guide = False

    @property
    def has_decoder(self) -> bool:
        """Whether the decoder is trained; with CTC alone it is dead weight."""
        return self.ctc_head is None or self.options.ctc_weight < 1.0

    @property
    def is_guided(self) -> bool:
        """Whether CTC teaches the decoder's attention: in training, where there are both, and one token a character."""
        return self.training and self.has_decoder and self.can_guide

    def find_guidance(self) -> None:
        """Note whether CTC may teach the decoder's attention, after a change of options or tokens."""
        wanted = self.ctc_head is not None and self.options.guidance > 0
        self.can_guide = wanted and is_by_character(self.tokenizer, self.card.charset)

    @property
    def modes(self) -> tuple[str, ...]:
        """`ctc` and `beam` read in one pass, `decoder` token by token."""
        by_ctc = () if self.ctc_head is None else super().modes
        return (*by_ctc, "decoder") if self.has_decoder else by_ctc

    def lacks(self, characters: str) -> str:
        """Return those of `characters` that the CTC head or the decoder's tokenizer lacks, sorted."""
        lacking = set(unknown_characters(self.tokenizer, "".join(sorted(set(characters)))))
        if self.ctc_head is not None:
            lacking |= set(characters) - set(self.card.charset)
        return "".join(sorted(lacking))

    def learn_language(self, texts: Sequence[str]) -> None:
        """Count the texts for the n-gram model, beside what it has counted before; CTC alone listens to it."""
        if self.ctc_head is not None:
            super().learn_language(texts)

    def frames(self, states: torch.Tensor) -> Sequence[np.ndarray]:
        """Return CTC log-probabilities of each picture `(T, 1 + characters)`."""
        return list(self.ctc_log_probs(states).cpu().numpy())

    def _read_states(
        self, states: torch.Tensor, modes: Sequence[str], decoded: Sequence[Reading] | None = None
    ) -> dict[str, list[Reading]]:
        """Read by CTC, by the decoder, or by both (`auto`)."""
        if self.ctc_head is None:
            return dict.fromkeys(modes, self._read_decoder(states))
        by_ctc = [mode for mode in modes if mode != "decoder"]
        decoded = self._read_decoder(states) if "decoder" in modes else decoded
        read = {"decoder": decoded} | (super()._read_states(states, by_ctc, decoded) if by_ctc else {})
        return {mode: read[mode] for mode in modes}

    def _read_again(
        self, states: torch.Tensor, frames: Sequence[np.ndarray], rows: Sequence[int], slow: Sequence[Reading] | None
    ) -> list[Reading]:
        share = self.options.decoder_share if self.has_decoder else 0.0
        if not share:
            return super()._read_again(states, frames, rows, slow)
        return [opinions.choose(share) for opinions in self._opinions(states[rows], frames, slow)]

    def _opinions(
        self, states: torch.Tensor, frames: Sequence[np.ndarray], slow: Sequence[Reading] | None = None
    ) -> list[Opinions]:
        """Return all opinions of a batch, with their scores where CTC and decoder differ."""
        found = super()._opinions(states, frames)
        if not self.has_decoder:
            return found
        slow = self._read_decoder(states) if slow is None else slow
        differ = [i for i, (one, other) in enumerate(zip(found, slow, strict=True)) if one.fast.text != other.text]
        scored = [
            self._likelihoods(states[differ], [frames[i] for i in differ], texts)
            for texts in ([found[i].fast.text for i in differ], [slow[i].text for i in differ])
        ]
        scores = {i: ((a[0], b[0]), (a[1], b[1])) for i, a, b in zip(differ, *scored, strict=True)}
        even = ((0.0, 0.0), (0.0, 0.0))
        return [Opinions(o.path, o.fast, slow[i], scores.get(i, even)) for i, o in enumerate(found)]

    def _likelihoods(
        self, states: torch.Tensor, frames: Sequence[np.ndarray], texts: list[str]
    ) -> list[tuple[float, float]]:
        """Return log p(text | picture) by CTC and by the decoder; `IMPOSSIBLE` for texts over the limit."""
        scores = [(IMPOSSIBLE, IMPOSSIBLE)] * len(texts)
        labels = self.labels.tokens(texts)
        kept = [i for i, row in enumerate(labels) if len(row) <= self.card.max_length]
        if not kept:
            return scores
        padded = pad([labels[i] for i in kept]).to(states.device)
        inputs = self.prepare_decoder_input_ids_from_labels(padded)
        logits = self(encoder_outputs=BaseModelOutput(last_hidden_state=states[kept]), decoder_input_ids=inputs).logits
        losses = nn.functional.cross_entropy(logits.float().transpose(1, 2), padded, reduction="none").sum(1)
        for i, loss in zip(kept, losses.tolist(), strict=True):
            scores[i] = (max(self.likelihood(frames[i], texts[i]), IMPOSSIBLE), -loss)
        return scores

    def _read_decoder(self, states: torch.Tensor) -> list[Reading]:
        """Read greedily with a cache; the confidence is the geometric mean of the tokens' probabilities."""
        output = self.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            max_new_tokens=self.card.max_length,
            output_scores=True,
            return_dict_in_generate=True,
        )
        if output.get("sequences_scores") is not None:
            scores = output.sequences_scores.exp().tolist()
        else:
            steps = self.compute_transition_scores(output.sequences, output.scores, normalize_logits=True)
            real = output.sequences[:, 1:] != self.generation_config.pad_token_id
            scores = ((steps.masked_fill(~real, 0)).sum(1) / real.sum(1).clamp_min(1)).exp().tolist()
        texts = self.tokenizer.batch_decode(output.sequences, skip_special_tokens=True)
        return [
            Reading(normalise(text, self.rules).strip(), min(score, 1.0), "decoder")  # a jamo tokenizer decodes to NFD
            for text, score in zip(texts, scores, strict=True)
        ]
