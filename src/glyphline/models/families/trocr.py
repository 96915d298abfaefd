"""TrOCR: vision encoder, text decoder (Li et al., AAAI 2023), with an optional CTC head on the encoder's columns.

The standard weights are those of `VisionEncoderDecoderModel`, which opens the folder without our code; the head lies
beside them in ctc.safetensors. The joint loss follows Watanabe et al. (hybrid CTC/attention, JSTSP 2017).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    TrOCRProcessor,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from glyphline.models.canvas import canvas_of
from glyphline.models.card import Card, read_card
from glyphline.models.growing import grow_linear
from glyphline.models.guidance import attention_loss
from glyphline.models.hybrid import STEERING, HybridReading, HybridSettings
from glyphline.models.labels import LabelEncoder
from glyphline.models.losses import cross_entropy, ctc_loss, joint_loss
from glyphline.models.parts import make_decoder, make_encoder, pretrained
from glyphline.models.positions import adopt_grid
from glyphline.models.recogniser import Recogniser
from glyphline.models.tokenizer import hub_tokenizer, start_and_end, unknown_characters
from glyphline.settings import InputError

HEAD = "ctc.safetensors"


@dataclass(frozen=True)
class Settings(HybridSettings):
    """Encoder and decoder: names of checkpoints, or sizes for random weights."""

    encoder: str | None = None
    """Hub name or folder of a DeiT or ViT; random weights of the sizes below where it is not given."""
    decoder: str | None = None
    """Hub name or folder of a RoBERTa or BERT; random weights where it is not given."""
    patch_height: int = 16
    """Pixels; for random weights. Tall narrow patches learn faster on lines than square ones of the same area."""
    patch_width: int = 8
    """Pixels; for random weights."""
    encoder_size: int = 192
    """Hidden size of a random encoder."""
    encoder_layers: int = 6
    """Layers of a random encoder."""
    encoder_heads: int = 3
    """Attention heads of a random encoder."""
    decoder_size: int = 192
    """Hidden size of a random decoder."""
    decoder_layers: int = 2
    """Layers of a random decoder."""
    decoder_heads: int = 3
    """Attention heads of a random decoder."""
    dropout: float = 0.0
    """Dropout of random encoders and decoders."""
    frames_per_column: int = 1
    """CTC frames that one column of patches yields; 2 where letters may be narrower than a patch."""

    def __post_init__(self) -> None:
        """Refuse sizes that do not divide and weights that are no share."""
        super().__post_init__()
        if self.encoder_size % self.encoder_heads or self.decoder_size % self.decoder_heads:
            raise InputError("encoder_size and decoder_size must be multiples of their heads")
        if self.frames_per_column < 1:
            raise InputError("frames_per_column: must be 1 or more")


class TrocrRecogniser(HybridReading, Recogniser, VisionEncoderDecoderModel):
    """`VisionEncoderDecoderModel` that takes batches of any width up to its canvas, with a CTC head if asked."""

    steering = STEERING

    _keys_to_ignore_on_save = ["ctc_head.weight", "ctc_head.bias"]  # noqa: RUF012 - written beside, see HEAD

    def __init__(self, config: Any = None, encoder: Any = None, decoder: Any = None) -> None:  # noqa: ANN401
        super().__init__(config, encoder, decoder)
        self.ctc_head: nn.Linear | None = None
        self.branch_losses: dict[str, torch.Tensor] = {}
        self.accepts_loss_kwargs = True  # forward divides by the step's labels, so Trainer must not divide again
        adopt_grid(self.encoder.embeddings)
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler.requires_grad_(False)  # unused: DDP would wait for its gradients

    def equip(self, card: Card, tokenizer: Any) -> None:  # noqa: ANN401
        """Attach card and tokenizer, and make the CTC head that the card's charset asks for."""
        super().equip(card, tokenizer)
        self.options = Settings(**card.options)
        self.labels = LabelEncoder(tokenizer, card.charset if self.options.ctc else None)
        if self.options.ctc and self.ctc_head is None:
            outputs = (len(card.charset) + 1) * self.options.frames_per_column
            self.ctc_head = nn.Linear(self.encoder.config.hidden_size, outputs)
            nn.init.trunc_normal_(self.ctc_head.weight, std=0.02)
            nn.init.zeros_(self.ctc_head.bias)
        self.settle()

    def settle(self) -> None:
        """Let the decoder move only if it is used, and tell its attention only if it is taught."""
        self.decoder.requires_grad_(self.has_decoder)
        self.find_guidance()
        if self.can_guide:
            self.decoder.set_attn_implementation("eager")

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return encoder states `(B, special + rows * columns, D)` of pixels `(B, C, H, W)`, uint8 or normalised."""
        if pixels.dtype == torch.uint8:
            pixels = self.preprocessor.normalise(pixels)
        return self.encoder(pixel_values=pixels, interpolate_pos_encoding=True).last_hidden_state

    def ctc_log_probs(self, states: torch.Tensor) -> torch.Tensor:
        """Return CTC log-probabilities `(B, frames, 1 + characters)`: states max-pooled over rows, then the head."""
        embeddings = self.encoder.embeddings
        rows = embeddings.rows
        grid = states[:, embeddings.special :].unflatten(1, (rows, -1))
        logits = self.ctc_head(grid.amax(1))
        return logits.unflatten(-1, (self.options.frames_per_column, -1)).flatten(1, 2).float().log_softmax(-1)

    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        ctc_labels: torch.Tensor | None = None,
        encoder_outputs: Any = None,  # noqa: ANN401
        num_items_in_batch: torch.Tensor | int | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Seq2SeqLMOutput:
        """Return the joint loss and the decoder's logits `(B, T, vocabulary)` (none where CTC has all the weight).

        `labels` `(B, T)` and `ctc_labels` `(B, U)` are padded with -100. Both losses are sums over the lines divided by
        `num_items_in_batch`, the labels of the whole step: so neither accumulation nor the number of processes, which
        cut a step into parts of unlike size, changes the gradient. Without it they are divided by the batch's labels.
        """
        if encoder_outputs is None:
            encoder_outputs = BaseModelOutput(last_hidden_state=self.encode(pixel_values))
        if labels is None:
            return super().forward(encoder_outputs=encoder_outputs, **kwargs)
        output, branches = Seq2SeqLMOutput(), {}
        if self.has_decoder:
            inputs = self._noisy(self.prepare_decoder_input_ids_from_labels(labels))
            output = super().forward(
                encoder_outputs=encoder_outputs, decoder_input_ids=inputs, output_attentions=self.is_guided, **kwargs
            )
            smoothing = self.options.label_smoothing if self.training else 0.0
            branches["decoder"] = cross_entropy(output.logits, labels, smoothing)
        weights = {"decoder": 1.0}
        if ctc_labels is not None and self.ctc_head is not None:
            log_probs = self.ctc_log_probs(encoder_outputs[0])
            branches["ctc"] = ctc_loss(log_probs, ctc_labels)
            weights = {"decoder": 1 - self.options.ctc_weight, "ctc": self.options.ctc_weight}
            if self.is_guided:
                embeddings = self.encoder.embeddings
                patches = [attention[..., embeddings.special :] for attention in output.cross_attentions]
                branches["attention"] = attention_loss(patches, log_probs, ctc_labels, labels, embeddings.rows)
                weights["attention"] = self.options.guidance
        output.loss, self.branch_losses = joint_loss(branches, weights, labels, num_items_in_batch)
        return output

    def _noisy(self, inputs: torch.Tensor) -> torch.Tensor:
        """Replace a share of the decoder's input tokens by random ones, in training; never the start token."""
        if not self.training or not self.options.decoder_noise:
            return inputs
        chosen = torch.rand_like(inputs, dtype=torch.float) < self.options.decoder_noise
        chosen[:, 0] = False
        return torch.where(chosen, torch.randint_like(inputs, self.config.decoder.vocab_size), inputs)

    def frames_of(self, image: np.ndarray) -> int:
        """Return the number of CTC frames that a picture gets, padding not counted."""
        width = self.preprocessor.fitted_size(*image.shape[:2])[1]
        return width // self.encoder.embeddings.patch[1] * self.options.frames_per_column

    def grow(self, characters: str) -> None:
        """Add characters to the CTC head and to the decoder's tokens where they lack; every known row stays."""
        tokens = sorted(set(unknown_characters(self.tokenizer, "".join(sorted(set(characters))))))
        if tokens:
            self.tokenizer.add_tokens(tokens)
            self.decoder.resize_token_embeddings(len(self.tokenizer), mean_resizing=False)
            self.config.vocab_size = self.config.decoder.vocab_size
        new = "".join(sorted(set(characters) - set(self.card.charset)))
        if new and self.ctc_head is not None:
            self.card.charset += new
            frames = self.options.frames_per_column
            self.ctc_head = grow_linear(self.ctc_head, frames, len(self.card.charset) + 1)
            self.widen_language()
        self.labels = LabelEncoder(self.tokenizer, self.card.charset if self.ctc_head is not None else None)

    def save_pretrained(self, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Write the standard files, the CTC head, the processor and glyphline.json."""
        from safetensors.torch import save_file

        folder = Path(save_directory)
        super().save_pretrained(folder, *args, **kwargs)
        config = json.loads((folder / "config.json").read_text())
        config["architectures"] = ["VisionEncoderDecoderModel"]
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        if self.ctc_head is not None:
            head = {name: tensor.detach().cpu().contiguous() for name, tensor in self.ctc_head.state_dict().items()}
            save_file(head, folder / HEAD)
        TrOCRProcessor(self.preprocessor.image_processor(), self.tokenizer).save_pretrained(folder)
        self.save_language(folder)
        self.card.write(folder)


def build(settings: Settings, card: Card, tokenizer: Any) -> TrocrRecogniser:  # noqa: ANN401
    """Make a recogniser from checkpoints or random weights, its positions resized to the card's canvas."""
    start, end, pad = start_and_end(tokenizer)
    encoder, decoder = make_encoder(settings, card.canvas), make_decoder(settings, card, tokenizer)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder.config, decoder.config)
    model = TrocrRecogniser(config=config, encoder=encoder, decoder=decoder)
    card.options = asdict(settings)
    model.equip(card, tokenizer)
    _set_tokens(model, start, end, pad)
    return model


def _set_tokens(model: TrocrRecogniser, start: int, end: int, pad: int) -> None:
    """Put the special tokens where the loss (config) and generation (generation_config) look for them."""
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id, config.eos_token_id, config.pad_token_id = start, end, pad
    model.config.vocab_size = model.config.decoder.vocab_size
    model.generation_config.bos_token_id = start
    model.generation_config.max_length = None
    model.generation_config.max_new_tokens = model.card.max_length
    model.generation_config.num_beams = 1


def load(folder: str | Path) -> TrocrRecogniser:
    """Open a model folder, ours or any published TrOCR checkpoint (which then reads by its decoder alone)."""
    from safetensors.torch import load_file

    model = pretrained(TrocrRecogniser, str(folder), dtype=torch.float32)
    card = read_card(folder)
    tokenizer = hub_tokenizer(str(folder))
    if card is None:
        card = _card_of_checkpoint(model, folder)
    model.equip(card, tokenizer)
    head = Path(folder) / HEAD
    if model.ctc_head is not None:
        if not head.exists():
            raise InputError(f"{head}: missing, though glyphline.json asks for a CTC head")
        model.ctc_head.load_state_dict(load_file(head))
        model.load_language(folder)
    return model.eval()


def _card_of_checkpoint(model: TrocrRecogniser, folder: str | Path) -> Card:
    """Describe a checkpoint that was not made here by what its own files say."""
    from transformers import AutoImageProcessor

    canvas = canvas_of(AutoImageProcessor.from_pretrained(str(folder), backend="pil"))
    room = getattr(model.config.decoder, "max_position_embeddings", 514) - 2
    limit = model.generation_config.max_length or 64
    return Card("trocr", canvas, min(room, max(limit, 64)), options=asdict(Settings(ctc=False)))
