"""What every model family offers: `modes`, `read`, `save_pretrained`, and a loss from `forward`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from glyphline.images import dark_on_light
from glyphline.models import ctc
from glyphline.models.canvas import Preprocessor
from glyphline.models.card import Card
from glyphline.models.windows import Window, join, split_wide
from glyphline.records import Reading
from glyphline.settings import InputError, build
from glyphline.text import TextRules


class Recogniser:
    """Mixed into a `PreTrainedModel`; the family implements `modes` and `read_batch`."""

    card: Card
    tokenizer: Any
    preprocessor: Preprocessor
    labels: Any
    """Picklable: texts to label tensors, named as `forward` takes them; `lengths(texts)` counts against the limit."""
    options: Any
    """The family's settings, a dataclass."""
    steering: tuple[str, ...] = ()
    """Those of them that steer loss or reading, leave the weights alone, and may be changed on a model that exists."""

    def equip(self, card: Card, tokenizer: Any) -> None:  # noqa: ANN401
        """Attach what turns pictures into tensors and ids into text."""
        self.card, self.tokenizer = card, tokenizer
        self.preprocessor = Preprocessor(card.canvas)

    @property
    def rules(self) -> TextRules:
        """Text rules that labels of training and references of scoring go through."""
        return self.card.rules

    @property
    def modes(self) -> tuple[str, ...]:
        """Names of the ways of reading, the default ("auto") apart."""
        raise TypeError(f"{type(self).__name__} has no modes")

    def retune(self, options: dict[str, Any]) -> None:
        """Change those of the family's settings that `steering` names. InputError for others."""
        if foreign := sorted(set(options) - set(self.steering)):
            raise InputError(f"model.options: {foreign[0]!r} cannot be changed on a model that exists")
        if options:
            self.options = build(type(self.options), {**asdict(self.options), **options}, "model.options")
            self.card.options = asdict(self.options)
            self.settle()

    def settle(self) -> None:
        """Do what follows from the options as they now are; nothing for most."""

    def frames_for(self, text: str) -> int:
        """Return the least number of CTC frames that a text needs."""
        return ctc.frames_needed(self.labels.characters(text))

    def lacks(self, characters: str) -> str:
        """Return those of `characters` that the model cannot write, or not as one token, sorted."""
        return ""

    def grow(self, characters: str) -> None:
        """Make room for characters that the model lacks, keeping all rows that it has."""

    def learn_language(self, texts: Sequence[str]) -> None:
        """Learn how texts go on, where the family reads with a language model of its own."""

    def read_batch(self, pixels: torch.Tensor, modes: Sequence[str]) -> dict[str, list[Reading]]:
        """Read a uint8 batch `(B, C, H, W)` on the model's device by each of the modes, encoding it once."""
        raise TypeError(f"{type(self).__name__} cannot read")

    def read(self, images: Sequence[np.ndarray], mode: str = "auto", batch_size: int = 32) -> list[Reading]:
        """Read uint8 pictures `(H, W)` or `(H, W, 3)` and return one Reading each, in the order given.

        Pictures of like width share a batch, so that little of it is padding and none reads differently for its
        company. Lines wider than the canvas are read in windows. InputError for an unknown mode.
        """
        return self.read_modes(images, (mode,), batch_size)[mode]

    @torch.inference_mode()
    def read_modes(
        self, images: Sequence[np.ndarray], modes: Sequence[str], batch_size: int = 32
    ) -> dict[str, list[Reading]]:
        """Read pictures by several modes at the price of one encoding; see `read`."""
        for mode in modes:
            if mode not in ("auto", *self.modes):
                raise InputError(f"mode {mode!r}: this model reads by {', '.join(('auto', *self.modes))}")
        training = self.training
        self.eval()
        lines = [split_wide(dark_on_light(image), self.card.canvas) for image in images]
        fitted = [self.preprocessor.fit(window.image) for windows in lines for window in windows]
        readings = {mode: [Reading("", 0.0, mode)] * len(fitted) for mode in modes}
        for chosen in self._batches([picture.shape[:2] for picture in fitted], batch_size):
            pixels = self.preprocessor.stack([fitted[i] for i in chosen]).to(self.device)
            for mode, read in self.read_batch(pixels, modes).items():
                for i, reading in zip(chosen, read, strict=True):
                    readings[mode][i] = reading
        self.train(training)
        return {mode: _rejoin(lines, pieces) for mode, pieces in readings.items()}

    def _batches(self, sizes: Sequence[tuple[int, int]], batch_size: int) -> Iterator[list[int]]:
        """Yield numbers of pictures of one padded size: what a picture reads does not depend on its company."""
        by_size: dict[tuple[int, int], list[int]] = {}
        for number, (height, width) in enumerate(sizes):
            size = self.preprocessor.padded_height(height), self.preprocessor.padded_width(width)
            by_size.setdefault(size, []).append(number)
        for _, numbers in sorted(by_size.items()):
            for start in range(0, len(numbers), batch_size):
                yield numbers[start : start + batch_size]


def _rejoin(lines: Sequence[Sequence[Window]], pieces: Sequence[Reading]) -> list[Reading]:
    """Return one reading a line from those of all windows in order."""
    remaining = iter(pieces)
    return [
        join([next(remaining) for _ in windows], [w.joint for w in windows]) if len(windows) > 1 else next(remaining)
        for windows in lines
    ]
