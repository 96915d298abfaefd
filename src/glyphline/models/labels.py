"""From texts to label tensors: a small picklable object, so that loader workers need no model."""

from __future__ import annotations

from typing import Any

import torch

from glyphline.models.tokenizer import encode_labels


class LabelEncoder:
    """Encodes texts for the decoder (tokens and an end token) and, with a charset, for the CTC head."""

    def __init__(self, tokenizer: Any, charset: str | None) -> None:  # noqa: ANN401
        self.tokenizer = tokenizer
        self.character_ids = None if charset is None else {c: i for i, c in enumerate(charset, start=1)}

    def __call__(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """Return `labels` `(B, T)` and, with a charset, `ctc_labels` `(B, U)`, padded with -100."""
        encoded = {"labels": pad(self.tokens(texts))}
        if self.character_ids is not None:
            encoded["ctc_labels"] = pad([self.characters(text) for text in texts])
        return encoded

    def tokens(self, texts: list[str]) -> list[list[int]]:
        """Return the decoder's label ids of each text, its end token included."""
        return encode_labels(self.tokenizer, texts) if texts else []

    def characters(self, text: str) -> list[int]:
        """Return the CTC labels of a text; characters outside the charset are left out."""
        return [self.character_ids[character] for character in text if character in self.character_ids]

    def lengths(self, texts: list[str]) -> list[int]:
        """Return how much of `max_length` each text takes."""
        return [len(ids) for ids in self.tokens(texts)]


class CharacterLabels:
    """Encodes texts for a model that has nothing but a CTC head: one label a character."""

    def __init__(self, charset: str) -> None:
        self.character_ids = {character: i for i, character in enumerate(charset, start=1)}

    def __call__(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """Return `labels` `(B, U)`, padded with -100."""
        return {"labels": pad([self.characters(text) for text in texts])}

    def characters(self, text: str) -> list[int]:
        """Return the labels of a text; characters outside the charset are left out."""
        return [self.character_ids[character] for character in text if character in self.character_ids]

    def lengths(self, texts: list[str]) -> list[int]:
        """Return how much of `max_length` each text takes."""
        return [len(text) for text in texts]


def pad(rows: list[list[int]]) -> torch.Tensor:
    """Return rows of ids as one tensor, padded with -100."""
    tensors = [torch.tensor(row, dtype=torch.long) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=-100)
