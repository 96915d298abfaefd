"""CRNN: residual columns, their maxima, a bidirectional LSTM and CTC (Shi et al., TPAMI 2017).

With the CTC shortcut of Retsinas et al. (DAS 2022): a second, smaller CTC head right on the columns, which training
alone listens to. Reading is greedy, or a prefix beam search with a character n-gram model of the training texts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from glyphline.models.card import Card, read_card
from glyphline.models.columns import BACKBONES, HALVINGS, Columns
from glyphline.models.growing import grow_convolution, grow_linear
from glyphline.models.labels import CharacterLabels
from glyphline.models.losses import ctc_loss, joint_loss
from glyphline.models.reading import STEERING, CtcReading, ReadingSettings
from glyphline.models.recogniser import Recogniser
from glyphline.settings import InputError

TOKENIZER = False
"""It writes characters: no tokenizer is made for it."""


@dataclass(frozen=True)
class Settings(ReadingSettings):
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

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        super().__post_init__()
        if self.backbone not in BACKBONES:
            raise InputError(f"backbone {self.backbone!r}: known are {', '.join(BACKBONES)}")
        if self.column_width not in HALVINGS:
            raise InputError(f"column_width {self.column_width}: known are {', '.join(map(str, HALVINGS))}")
        if self.lstm_size < 1 or self.lstm_layers < 1:
            raise InputError("lstm_size and lstm_layers must be 1 or more")
        if not 0.0 <= self.dropout < 1.0 or self.shortcut_weight < 0:
            raise InputError("dropout must be from 0 to below 1, shortcut_weight not negative")


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


class CrnnRecogniser(CtcReading, Recogniser, PreTrainedModel):
    """Columns, LSTM and CTC heads. A picture reads the same in any company and under any padding."""

    config_class = CrnnConfig
    main_input_name = "pixel_values"
    steering = ("shortcut_weight", *STEERING)
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
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the weights as their modules made them."""

    def equip(self, card: Card, tokenizer: Any = None) -> None:  # noqa: ANN401
        """Attach the card; texts become labels by its charset alone."""
        super().equip(card, tokenizer)
        self.options = Settings(**card.options)
        self.labels = CharacterLabels(card.charset)

    def settle(self) -> None:
        """Do without the shortcut where it has no weight any more; a later stage and a reader have no use for it."""
        if self.options.shortcut_weight and self.shortcut is None:
            raise InputError("model.options.shortcut_weight: this model has no shortcut, and it cannot be added later")
        if not self.options.shortcut_weight and self.shortcut is not None:
            self.shortcut = None
            self.config.sizes = {**self.config.sizes, "shortcut": False}

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

    def frames(self, states: tuple[torch.Tensor, torch.Tensor]) -> list[np.ndarray]:
        """Return each picture's own frames `(T, 1 + characters)` as log-probabilities."""
        columns, lengths = states
        values = self.logits(columns, lengths).float().log_softmax(-1).cpu().numpy()
        return [frames[:length] for frames, length in zip(values, lengths.tolist(), strict=True)]

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
        self.widen_language()
        self.labels = CharacterLabels(self.card.charset)

    def save_pretrained(self, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Write weights, config.json, glyphline.json and, once it is learnt, the n-gram model."""
        super().save_pretrained(save_directory, *args, **kwargs)
        self.save_language(save_directory)
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
    model.load_language(folder)
    return model.eval()
