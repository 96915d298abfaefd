"""CRNN: residual columns, their maxima, a bidirectional LSTM and CTC (Shi et al., TPAMI 2017).

With the CTC shortcut of Retsinas et al. (DAS 2022): a second, smaller CTC head right on the columns, which training
alone listens to. Reading is greedy, or a prefix beam search with a character n-gram model of the training texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from glyphline.models import beam, ctc
from glyphline.models.card import Card, read_card
from glyphline.models.columns import BACKBONES, HALVINGS, Columns
from glyphline.models.growing import grow_convolution, grow_linear
from glyphline.models.labels import CharacterLabels
from glyphline.models.losses import ctc_loss, joint_loss
from glyphline.models.ngram import NGrams, load_ngrams
from glyphline.models.recogniser import Recogniser
from glyphline.records import Reading
from glyphline.settings import InputError

TOKENIZER = False
"""It writes characters: no tokenizer is made for it."""
LANGUAGE = "language.safetensors"
STEERING = ("beam_width", "language_weight", "length_bonus", "trust")
"""What reading listens to, and may be changed on a model that exists."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the network, and how it reads."""

    backbone: Literal["light", "resnet18", "resnet34"] = "light"
    """Residual network that makes the columns."""
    column_width: int = 8
    """Pixels of the canvas that a column (and CTC frame) stands for: 4, 8, 16 or 32. Each letter wants two or more."""
    lstm_size: int = 192
    """Hidden size of each direction."""
    lstm_layers: int = 2
    """Layers of the LSTM."""
    dropout: float = 0.1
    """Dropout between the LSTM's layers and before the last one."""
    shortcut_weight: float = 0.1
    """Weight of the CTC loss right on the columns; 0 leaves that head out. Reading does not use it."""
    language_order: int = 4
    """Characters of the longest sequences that the n-gram model counts in the training texts; 0 has none."""
    beam_width: int = 8
    """Texts that the beam search follows."""
    language_weight: float = 0.0
    """Weight of the n-gram model in the beam search; training tunes it on validation."""
    length_bonus: float = 0.0
    """Bonus of the beam search for each character; training tunes it on validation."""
    trust: float = 0.0
    """Confidence of the greedy reading from which the beam search is not asked; training tunes it on validation."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.backbone not in BACKBONES:
            raise InputError(f"backbone {self.backbone!r}: known are {', '.join(BACKBONES)}")
        if self.column_width not in HALVINGS:
            raise InputError(f"column_width {self.column_width}: known are {', '.join(map(str, HALVINGS))}")
        if self.lstm_size < 1 or self.lstm_layers < 1 or self.beam_width < 1 or self.language_order < 0:
            raise InputError("lstm_size, lstm_layers and beam_width must be 1 or more, language_order not negative")
        if not 0.0 <= self.dropout < 1.0 or self.shortcut_weight < 0 or self.language_weight < 0:
            raise InputError("dropout must be from 0 to below 1, shortcut_weight and language_weight not negative")
        if not 0.0 <= self.trust <= 1.0:
            raise InputError(f"trust {self.trust}: must be between 0 and 1")


class CrnnConfig(PreTrainedConfig):
    """What config.json says: the sizes that the weights' shapes follow from."""

    model_type = "glyphline-crnn"

    def __init__(self, sizes: dict[str, Any] | None = None, outputs: int = 2, **kwargs: Any) -> None:  # noqa: ANN401
        self.sizes, self.outputs = sizes or shape_of(Settings()), outputs
        super().__init__(**kwargs)


def shape_of(settings: Settings) -> dict[str, Any]:
    """Return those settings that the weights' shapes follow from."""
    names = ("backbone", "column_width", "lstm_size", "lstm_layers", "dropout")
    return {name: getattr(settings, name) for name in names} | {"shortcut": settings.shortcut_weight > 0}


class CrnnRecogniser(Recogniser, PreTrainedModel):
    """Columns, LSTM and CTC heads. A picture reads the same in any company and under any padding."""

    config_class = CrnnConfig
    main_input_name = "pixel_values"
    steering = STEERING
    needs_frames = True
    """A line with more letters than frames teaches nothing: training leaves it out and names it."""

    def __init__(self, config: CrnnConfig) -> None:
        super().__init__(config)
        sizes = config.sizes
        self.columns = Columns(sizes["backbone"], sizes["column_width"])
        size, layers, dropout = sizes["lstm_size"], sizes["lstm_layers"], sizes["dropout"]
        channels, between = self.columns.channels, dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(channels, size, layers, batch_first=True, bidirectional=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * size, config.outputs)
        self.shortcut = nn.Conv1d(channels, config.outputs, 3, padding=1) if sizes["shortcut"] else None
        self.branch_losses: dict[str, torch.Tensor] = {}
        self.accepts_loss_kwargs = True  # forward divides by the step's labels, so Trainer must not divide again
        self.language: NGrams | None = None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the weights as their modules made them."""

    def equip(self, card: Card, tokenizer: Any = None) -> None:  # noqa: ANN401
        """Attach the card; texts become labels by its charset alone."""
        super().equip(card, tokenizer)
        self.options = Settings(**card.options)
        self.labels = CharacterLabels(card.charset)

    @property
    def modes(self) -> tuple[str, ...]:
        """`greedy` takes the best path, `beam` the best text it finds."""
        return ("greedy", "beam")

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return columns `(B, T, C)` of a uint8 batch `(B, C, H, W)` and their numbers `(B,)`.

        A picture ends with its last column of pixels that is not white, whatever the batch adds to it.
        """
        grey = pixels if pixels.shape[1] == 1 else pixels.float().mean(1, keepdim=True)
        return self.columns(self.preprocessor.normalise(grey)[:, :1], ink_widths(pixels))

    def logits(self, columns: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return CTC logits `(B, T, 1 + characters)` of columns `(B, T, C)`."""
        packed = nn.utils.rnn.pack_padded_sequence(columns, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], True, total_length=columns.shape[1])[0]
        return self.head(self.dropout(states))

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        **_: Any,  # noqa: ANN401
    ) -> CausalLMOutput:
        """Return the loss, and CTC logits `(B, T, 1 + characters)`.

        `labels` `(B, U)` are padded with -100. The loss is a sum over the lines divided by `num_items_in_batch`, the
        labels of the whole step: accumulation and processes leave it as it is. Without it the batch's labels count.
        """
        columns, lengths = self.encode(pixel_values)
        output = CausalLMOutput(logits=self.logits(columns, lengths))
        if labels is None:
            return output
        branches = {"ctc": ctc_loss(output.logits.float().log_softmax(-1), labels, lengths)}
        if self.shortcut is not None:
            short = self.shortcut(columns.transpose(1, 2)).transpose(1, 2)
            branches["shortcut"] = ctc_loss(short.float().log_softmax(-1), labels, lengths)
        weights = {"ctc": 1.0, "shortcut": self.options.shortcut_weight}
        output.loss, self.branch_losses = joint_loss(branches, weights, labels, num_items_in_batch)
        return output

    def log_probs(self, pixels: torch.Tensor) -> list[np.ndarray]:
        """Return each picture's own frames `(T, 1 + characters)` as log-probabilities."""
        columns, lengths = self.encode(pixels)
        values = self.logits(columns, lengths).float().log_softmax(-1).cpu().numpy()
        return [frames[:length] for frames, length in zip(values, lengths.tolist(), strict=True)]

    def read_batch(self, pixels: torch.Tensor, modes: Sequence[str]) -> dict[str, list[Reading]]:
        """Read a batch along the best path, by beam search, or by the latter where the former is in doubt (`auto`)."""
        read: dict[str, list[Reading]] = {mode: [] for mode in modes}
        for frames in self.log_probs(pixels):
            fast = self.read_greedy(frames)
            slow = None
            if "beam" in modes or ("auto" in modes and fast.confidence < self.options.trust):
                slow = self.read_beam(beam.sparse(frames))
            for mode in modes:
                trusted = mode == "greedy" or (mode == "auto" and fast.confidence >= self.options.trust)
                read[mode].append(fast if trusted or slow is None else slow)
        return read

    def read_greedy(self, frames: np.ndarray) -> Reading:
        """Read one picture's `(T, V)` log-probabilities along the best path."""
        labels, confidence = ctc.greedy(frames)
        return Reading(self._text(labels), confidence, "greedy")

    def read_beam(self, frames: beam.Frames, weight: float | None = None, bonus: float | None = None) -> Reading:
        """Read one picture by beam search, with the weights of the options unless others are given."""
        weight = self.options.language_weight if weight is None else weight
        bonus = self.options.length_bonus if bonus is None else bonus
        labels, confidence = beam.best(frames, beam.Search(self.options.beam_width, self.language, weight, bonus))
        return Reading(self._text(labels), confidence, "beam")

    def _text(self, labels: Sequence[int]) -> str:
        return " ".join("".join(self.card.charset[label - 1] for label in labels).split())

    @torch.inference_mode()
    def read_drafts(self, images: Sequence[np.ndarray], batch_size: int = 32) -> list[tuple[Reading, beam.Frames]]:
        """Return each picture's greedy reading and what the beam search starts from, in the order given."""
        fitted = [self.preprocessor.fit(image) for image in images]
        found: dict[int, tuple[Reading, beam.Frames]] = {}
        for chosen in self._batches([picture.shape[:2] for picture in fitted], batch_size):
            pixels = self.preprocessor.stack([fitted[i] for i in chosen]).to(self.device)
            for i, frames in zip(chosen, self.log_probs(pixels), strict=True):
                found[i] = (self.read_greedy(frames), beam.sparse(frames))
        return [found[i] for i in range(len(fitted))]

    def learn_language(self, texts: Sequence[str]) -> None:
        """Count the texts for the n-gram model, beside what it has counted before."""
        if self.options.language_order:
            if self.language is None:
                self.language = NGrams(len(self.card.charset) + 1, self.options.language_order)
            self.language.learn([self.labels.characters(text) for text in texts])

    def frames_of(self, image: np.ndarray) -> int:
        """Return the number of CTC frames that a picture gets, white on its right not counted."""
        fitted = self.preprocessor.stack([self.preprocessor.fit(image)])
        return int(-(-ink_widths(fitted)[0] // self.options.column_width))

    def lacks(self, characters: str) -> str:
        """Return those of `characters` that no output stands for, sorted."""
        return "".join(sorted(set(characters) - set(self.card.charset)))

    def grow(self, characters: str) -> None:
        """Add outputs for characters, unlikely ones at first; every known row stays."""
        new = self.lacks(characters)
        if not new:
            return
        self.card.charset += new
        self.config.outputs += len(new)
        self.head = grow_linear(self.head, 1, self.config.outputs)
        if self.shortcut is not None:
            self.shortcut = grow_convolution(self.shortcut, self.config.outputs)
        if self.language is not None:
            self.language.widen(self.config.outputs)
        self.labels = CharacterLabels(self.card.charset)

    def save_pretrained(self, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Write weights, config.json, glyphline.json and, once it is learnt, the n-gram model."""
        super().save_pretrained(save_directory, *args, **kwargs)
        if self.language is not None:
            self.language.save(Path(save_directory) / LANGUAGE)
        self.card.write(save_directory)


def ink_widths(pixels: torch.Tensor) -> torch.Tensor:
    """Return how many pixels wide each picture of a uint8 batch `(B, C, H, W)` is up to its last that is not white."""
    inked = (pixels != 255).any(2).any(1)
    places = torch.arange(1, pixels.shape[-1] + 1, device=pixels.device)
    return (inked * places).amax(1).clamp_min(1)


def build(settings: Settings, card: Card, tokenizer: Any = None) -> CrnnRecogniser:  # noqa: ANN401
    """Make a recogniser of random weights."""
    model = CrnnRecogniser(CrnnConfig(shape_of(settings), len(card.charset) + 1))
    card.options = asdict(settings)
    model.equip(card)
    return model


def load(folder: str | Path) -> CrnnRecogniser:
    """Open a model folder."""
    from safetensors.torch import load_file

    card = read_card(folder)
    if card is None:
        raise InputError(f"{folder}: no glyphline.json, which a crnn model cannot be read without")
    model = CrnnRecogniser(CrnnConfig.from_pretrained(folder))
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    model.equip(card)
    if (Path(folder) / LANGUAGE).exists():
        model.language = load_ngrams(Path(folder) / LANGUAGE)
    return model.eval()
