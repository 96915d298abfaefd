"""Reading by CTC and by a decoder: each alone, or the decoder asked only where CTC is in doubt.

Where both differ, the text wins that both together find likelier (Watanabe et al., hybrid CTC/attention, JSTSP 2017):
two hypotheses rescored, not a joint beam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutput

from glyphline.models import ctc
from glyphline.models.labels import pad
from glyphline.models.tokenizer import is_by_character, unknown_characters
from glyphline.records import Reading
from glyphline.text import normalise

IMPOSSIBLE = -1e30
"""Log-probability of what a branch cannot write; finite, so that a weight of 0 leaves it without a say."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What CTC and decoder read of one picture, and how likely each branch finds the two texts.

    `scores[branch][text]` is a log-probability; 0 is CTC, 1 the decoder, for branches and texts alike.
    """

    fast: Reading
    slow: Reading
    scores: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))

    @property
    def differ(self) -> bool:
        """Whether there is anything to decide."""
        return self.fast.text != self.slow.text

    def choose(self, share: float) -> Reading:
        """Return the reading that is likelier with so much weight on the decoder's opinion, 0 to 1."""
        if not self.differ:
            return Reading(self.fast.text, max(self.fast.confidence, self.slow.confidence), "auto")
        by_text = [(1 - share) * self.scores[0][text] + share * self.scores[1][text] for text in (0, 1)]
        winner = self.fast if by_text[0] >= by_text[1] else self.slow
        return Reading(winner.text, min(self.fast.confidence, self.slow.confidence), winner.mode)


class HybridReading:
    """Mixed into a recogniser that has `encode`, `ctc_log_probs`, `generate`, `ctc_head` and options."""

    ctc_head: Any
    options: Any
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
        """`ctc` reads in one pass, `decoder` token by token."""
        if self.ctc_head is None:
            return ("decoder",)
        return ("ctc", "decoder") if self.has_decoder else ("ctc",)

    def lacks(self, characters: str) -> str:
        """Return those of `characters` that the CTC head or the decoder's tokenizer lacks, sorted."""
        lacking = set(unknown_characters(self.tokenizer, "".join(sorted(set(characters)))))
        if self.ctc_head is not None:
            lacking |= set(characters) - set(self.card.charset)
        return "".join(sorted(lacking))

    def read_batch(self, pixels: torch.Tensor, modes: Sequence[str]) -> dict[str, list[Reading]]:
        """Read a batch by CTC, by the decoder, or by both (`auto`), encoding it once."""
        states = self.encode(pixels)
        if self.ctc_head is None:
            return dict.fromkeys(modes, self._read_decoder(states))
        read: dict[str, list[Reading]] = {}
        log_probs = self.ctc_log_probs(states).cpu().numpy() if set(modes) != {"decoder"} else np.empty(0)
        if set(modes) != {"decoder"}:
            read["ctc"] = [self._read_ctc(frames) for frames in log_probs]
        if "decoder" in modes:
            read["decoder"] = self._read_decoder(states)
        if "auto" in modes:
            read["auto"] = self._read_both(states, log_probs, read) if self.has_decoder else read["ctc"]
        return {mode: read[mode] for mode in modes}

    def _read_both(self, states: torch.Tensor, log_probs: np.ndarray, read: dict[str, list[Reading]]) -> list[Reading]:
        """Take CTC's reading where it is sure enough, the likelier of the two elsewhere."""
        chosen = list(read["ctc"])
        doubtful = [i for i, reading in enumerate(chosen) if reading.confidence < self.options.trust]
        if not doubtful:
            return chosen
        slow = [read["decoder"][i] for i in doubtful] if "decoder" in read else self._read_decoder(states[doubtful])
        fast = [chosen[i] for i in doubtful]
        for i, pair in zip(doubtful, self._pairs(states[doubtful], log_probs[doubtful], fast, slow), strict=True):
            chosen[i] = pair.choose(self.options.decoder_share)
        return chosen

    @torch.inference_mode()
    def read_pairs(self, images: Sequence[np.ndarray], batch_size: int = 32) -> list[Pair]:
        """Read pictures by both branches and return what each thinks of both texts, in the order given."""
        fitted = [self.preprocessor.fit(image) for image in images]
        found: dict[int, Pair] = {}
        for chosen in self._batches([picture.shape[:2] for picture in fitted], batch_size):
            states = self.encode(self.preprocessor.stack([fitted[i] for i in chosen]).to(self.device))
            log_probs = self.ctc_log_probs(states).cpu().numpy()
            fast, slow = [self._read_ctc(frames) for frames in log_probs], self._read_decoder(states)
            found |= zip(chosen, self._pairs(states, log_probs, fast, slow), strict=True)
        return [found[i] for i in range(len(fitted))]

    def _pairs(
        self, states: torch.Tensor, log_probs: np.ndarray, fast: list[Reading], slow: list[Reading]
    ) -> Iterator[Pair]:
        """Yield the pairs of a batch, those that differ with their scores."""
        pairs = [Pair(a, b) for a, b in zip(fast, slow, strict=True)]
        differ = [i for i, pair in enumerate(pairs) if pair.differ]
        scored = [
            self._log_likelihoods(states[differ], log_probs[differ], [texts[i].text for i in differ])
            for texts in (fast, slow)
        ]
        for place, i in enumerate(differ):
            (ctc_fast, decoder_fast), (ctc_slow, decoder_slow) = scored[0][place], scored[1][place]
            pairs[i] = Pair(fast[i], slow[i], ((ctc_fast, ctc_slow), (decoder_fast, decoder_slow)))
        yield from pairs

    def _log_likelihoods(
        self, states: torch.Tensor, log_probs: np.ndarray, texts: list[str]
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
            by_ctc = ctc.log_likelihood(log_probs[i], self.labels.characters(texts[i]))
            scores[i] = (max(by_ctc, IMPOSSIBLE), -loss)
        return scores

    def _read_ctc(self, log_probs: np.ndarray) -> Reading:
        labels, confidence = ctc.greedy(log_probs)
        text = "".join(self.card.charset[label - 1] for label in labels)
        return Reading(" ".join(text.split()), confidence, "ctc")

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
