"""Whole pages to text with line breaks: ResNet cells with 2-D positions, a transformer decoder, and CTC along the rows.

After Singh and Karayev, "Full Page Handwriting Recognition via Image to Sequence Extraction" (ICDAR 2021). What they
do not have: a CTC head on the cells, row after row (as Coquenet et al., "SPAN", ICDAR 2021). It teaches the encoder to
read where things stand, without which the decoder does not learn from random weights to look at the page at all, and
reads a page in one pass.
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
from transformers.modeling_outputs import Seq2SeqLMOutput

from glyphline.models import search
from glyphline.models.canvas import Canvas
from glyphline.models.card import Card, read_card
from glyphline.models.decoder import Sizes, TextDecoder
from glyphline.models.growing import grow_embedding, grow_input, grow_linear
from glyphline.models.guidance import attention_loss
from glyphline.models.hybrid import STEERING, HybridReading, HybridSettings
from glyphline.models.labels import LabelEncoder
from glyphline.models.losses import cross_entropy, ctc_loss, joint_loss
from glyphline.models.positions import sinusoids
from glyphline.models.recogniser import Recogniser
from glyphline.models.resnet import ResNet
from glyphline.models.tokenizer import hub_tokenizer, start_and_end, unknown_characters
from glyphline.records import Reading
from glyphline.settings import InputError
from glyphline.text import TextRules, normalise

CANVAS = Canvas("page", 640, 640, 64)
"""What a model sees where no canvas is named."""
RULES = TextRules(collapse_space="lines")
"""Text rules of pages: line breaks are text."""
BREAK = "\n"


@dataclass(frozen=True)
class Settings(HybridSettings):
    """Sizes of encoder and decoder; both start from random weights."""

    encoder: Literal["light", "resnet18", "resnet34", "resnet50"] = "resnet18"
    """The ResNet; `light` is for a CPU."""
    row_px: int = 16
    """Height of the encoder's cells in pixels, 4, 8, 16 or 32; less than the distance of lines on the canvas."""
    column_px: int = 8
    """Width of the encoder's cells in pixels, 4, 8, 16 or 32."""
    size: int = 256
    """Hidden size of the decoder; a multiple of 4 and of `heads`."""
    layers: int = 6
    """Layers of the decoder."""
    heads: int = 4
    """Attention heads of the decoder."""
    inner: int = 1024
    """Size of the decoder's inner layers."""
    dropout: float = 0.1
    """Dropout of encoder and decoder."""
    line_numbers: bool = True
    """Tell the decoder in which line, and where in it, each token stands."""
    frames_per_column: int = 1
    """CTC frames that a cell yields; 2 where letters may be narrower than a cell."""
    hints: bool = True
    """Show the decoder what CTC reads in each cell (self-conditioned CTC, Nozaki and Komatsu, Interspeech 2021)."""
    beams: int = 1
    """Texts that the decoder keeps while it reads; 1 is greedy."""

    def __post_init__(self) -> None:
        """Refuse sizes that do not divide and shares that are none."""
        super().__post_init__()
        if self.size % self.heads or self.size % 4:
            raise InputError(f"size {self.size}: must be a multiple of 4 and of heads ({self.heads})")
        for name in ("row_px", "column_px"):
            if getattr(self, name) not in (4, 8, 16, 32):
                raise InputError(f"{name} {getattr(self, name)}: must be 4, 8, 16 or 32")
        if not 0.0 <= self.dropout < 1.0:
            raise InputError(f"dropout {self.dropout}: must be from 0 to below 1")
        if self.frames_per_column < 1 or self.beams < 1 or self.layers < 1:
            raise InputError("frames_per_column, beams and layers must be 1 or more")


class PageConfig(PreTrainedConfig):
    """What config.json says: the settings, and how many tokens and characters there are."""

    model_type = "glyphline-page"

    def __init__(
        self, options: dict[str, Any] | None = None, vocab_size: int = 0, characters: int = 0, break_token_id: int = -1,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.options, self.vocab_size, self.characters = options or {}, vocab_size, characters
        self.break_token_id = break_token_id
        self.hidden_size = self.options.get("size", Settings.size)


class PageRecogniser(HybridReading, Recogniser, PreTrainedModel):
    """Reads a whole page: by CTC in one pass, by the decoder token by token, or by both."""

    config_class = PageConfig
    main_input_name = "pixel_values"
    steering = (*STEERING, "beams")

    def __init__(self, config: PageConfig) -> None:
        super().__init__(config)
        options = Settings(**config.options)
        self.options = options
        self.extractor = ResNet(options.encoder, (options.row_px, options.column_px), options.dropout)
        self.bridge = nn.Conv2d(self.extractor.channels, options.size, 1)
        self.bridge_norm = nn.LayerNorm(options.size)
        counted = config.break_token_id if options.line_numbers else -1
        self.decoder = TextDecoder(
            Sizes(
                config.vocab_size, options.size, options.layers, options.heads, options.inner, options.dropout, counted
            )
        )
        outputs = (config.characters + 1) * options.frames_per_column
        self.ctc_head = nn.Linear(options.size, outputs) if options.ctc else None
        self.hint = nn.Linear(outputs, options.size, bias=False) if options.ctc and options.hints else None
        self.branch_losses: dict[str, torch.Tensor] = {}
        self.accepts_loss_kwargs = True  # forward divides by the step's labels, so Trainer must not divide again
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the weights as the parts have started them."""

    def equip(self, card: Card, tokenizer: Any) -> None:  # noqa: ANN401
        """Attach card and tokenizer."""
        super().equip(card, tokenizer)
        self.options = Settings(**card.options)
        self.labels = LabelEncoder(tokenizer, card.charset if self.ctc_head is not None else None)
        self.settle()

    def settle(self) -> None:
        """Let the decoder (and what only it uses) rest where CTC has all the weight."""
        self.config.options = asdict(self.options)
        self.find_guidance()
        for part in (self.decoder, self.hint):
            if part is not None:
                part.requires_grad_(self.has_decoder)

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return cells `(B, rows, columns, D)` of pixels `(B, C, H, W)`, uint8 or normalised."""
        if pixels.dtype == torch.uint8:
            pixels = self.preprocessor.normalise(pixels)
        grid = self.bridge(self.extractor(pixels.mean(1, keepdim=True)))
        return self.bridge_norm(grid.permute(0, 2, 3, 1))

    def memory(self, states: torch.Tensor) -> torch.Tensor:
        """Return what the decoder looks at `(B, rows * columns, D)`: cells, their places, and CTC's hints."""
        rows, columns, size = states.shape[1:]
        memory = states.flatten(1, 2) + sinusoids(rows, columns, size).to(states)
        if self.hint is not None:
            frames = self.ctc_head(states).unflatten(-1, (self.options.frames_per_column, -1)).softmax(-1)
            memory = memory + self.hint(frames.flatten(3).flatten(1, 2))
        return memory

    def ctc_log_probs(self, states: torch.Tensor) -> torch.Tensor:
        """Return CTC log-probabilities `(B, frames, 1 + characters)`, row after row from the left."""
        logits = self.ctc_head(states).unflatten(-1, (self.options.frames_per_column, -1))
        return logits.flatten(1, 3).float().log_softmax(-1)

    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        ctc_labels: torch.Tensor | None = None,
        encoder_outputs: Any = None,  # noqa: ANN401
        decoder_input_ids: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        **_: Any,  # noqa: ANN401
    ) -> Seq2SeqLMOutput:
        """Return the joint loss and the decoder's logits `(B, T, vocabulary)` (none where CTC has all the weight).

        `labels` `(B, T)` and `ctc_labels` `(B, U)` are padded with -100. Both losses are sums over the pages divided by
        `num_items_in_batch`, the labels of the whole step; by the batch's labels where it is not given.
        """
        states = self.encode(pixel_values) if encoder_outputs is None else encoder_outputs[0]
        if labels is None:
            return Seq2SeqLMOutput(logits=self._decode(states, decoder_input_ids))
        output, branches = Seq2SeqLMOutput(), {}
        looks: list[torch.Tensor] | None = [] if self.is_guided else None
        if self.has_decoder:
            inputs = self._noisy(self.prepare_decoder_input_ids_from_labels(labels))
            output.logits = self._decode(states, inputs, looks)
            smoothing = self.options.label_smoothing if self.training else 0.0
            branches["decoder"] = cross_entropy(output.logits, labels, smoothing)
        weights = {"decoder": 1.0}
        if ctc_labels is not None and self.ctc_head is not None:
            log_probs = self.ctc_log_probs(states)
            branches["ctc"] = ctc_loss(log_probs, ctc_labels)
            weights = {"decoder": 1 - self.options.ctc_weight, "ctc": self.options.ctc_weight}
            if looks:
                branches["attention"] = attention_loss(looks, log_probs, ctc_labels, labels)
                weights["attention"] = self.options.guidance
        output.loss, self.branch_losses = joint_loss(branches, weights, labels, num_items_in_batch)
        return output

    def _decode(self, states: torch.Tensor, ids: torch.Tensor, looks: list[torch.Tensor] | None = None) -> torch.Tensor:
        cache = self.decoder.begin(self.memory(states))
        cache.looks = looks
        return self.decoder(ids, cache)

    def prepare_decoder_input_ids_from_labels(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the decoder's input `(B, T)`: the start token, then the labels but for the last."""
        ids = labels.roll(1, 1)
        ids[:, 0] = self.config.bos_token_id
        return ids.masked_fill(ids == -100, self.config.pad_token_id)

    def _noisy(self, ids: torch.Tensor) -> torch.Tensor:
        """Replace a share of the input tokens by random ones, in training; never the start, a break, or by a break."""
        if not self.training or not self.options.decoder_noise:
            return ids
        drawn = torch.randint_like(ids, self.config.vocab_size)
        fixed = (ids == self.config.break_token_id) | (drawn == self.config.break_token_id)
        chosen = (torch.rand_like(ids, dtype=torch.float) < self.options.decoder_noise) & ~fixed
        chosen[:, 0] = False
        return torch.where(chosen, drawn, ids)

    def frames_of(self, image: np.ndarray) -> int:
        """Return the number of CTC frames that a picture gets, padding not counted."""
        height, width = self.preprocessor.fitted_size(*image.shape[:2])
        cells = (height // self.options.row_px) * (width // self.options.column_px)
        return cells * self.options.frames_per_column

    def _search(self, states: torch.Tensor) -> list[search.Found]:
        """Read step by step with a cache, greedily or with a beam."""
        cache = self.decoder.begin(self.memory(states))
        limits = search.Limits(self.config.bos_token_id, self.config.eos_token_id, self.card.max_length)
        if self.options.beams > 1:
            return search.beam(self.decoder, cache, limits, self.options.beams)
        return search.greedy(self.decoder, cache, limits)

    def decode_ids(self, states: torch.Tensor) -> list[list[int]]:
        """Return the tokens that the decoder reads, without start and end."""
        return [found.ids for found in self._search(states)]

    def _read_decoder(self, states: torch.Tensor) -> list[Reading]:
        """Return the decoder's readings; the confidence is the geometric mean of the tokens' probabilities."""
        found = self._search(states)
        texts = self.tokenizer.batch_decode([one.ids for one in found], skip_special_tokens=True)
        return [
            Reading(normalise(text, self.rules), min(1.0, float(np.exp(one.mean))), "decoder")
            for text, one in zip(texts, found, strict=True)
        ]

    def grow(self, characters: str) -> None:
        """Add characters to tokens and CTC head where they lack; every known row stays, new ones start unlikely."""
        tokens = sorted(unknown_characters(self.tokenizer, "".join(sorted(set(characters)))))
        if tokens:
            self.tokenizer.add_tokens(tokens)
            self.config.vocab_size = len(self.tokenizer)
            self.decoder.embedding = grow_embedding(self.decoder.embedding, self.config.vocab_size)
            self.decoder.output = grow_linear(self.decoder.output, 1, self.config.vocab_size)
        new = "".join(sorted(set(characters) - set(self.card.charset)))
        if new and self.ctc_head is not None:
            self.card.charset += new
            self.config.characters = len(self.card.charset)
            frames = self.options.frames_per_column
            self.ctc_head = grow_linear(self.ctc_head, frames, self.config.characters + 1)
            self.widen_language()
            if self.hint is not None:
                self.hint = grow_input(self.hint, frames, self.config.characters + 1)
        self.labels = LabelEncoder(self.tokenizer, self.card.charset if self.ctc_head is not None else None)
        self.settle()

    def save_pretrained(self, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Write config, weights, tokenizer and glyphline.json."""
        super().save_pretrained(save_directory, *args, **kwargs)
        self.tokenizer.save_pretrained(save_directory)
        self.save_language(save_directory)
        self.card.write(save_directory)


def build(settings: Settings, card: Card, tokenizer: Any) -> PageRecogniser:  # noqa: ANN401
    """Make a recogniser with random weights. InputError where the canvas is no page of whole cells."""
    check_canvas(settings, card.canvas)
    start, end, pad = start_and_end(tokenizer)
    card.options, card.rules = asdict(settings), RULES
    config = PageConfig(
        asdict(settings), len(tokenizer), len(card.charset), break_token(tokenizer),
        bos_token_id=start, eos_token_id=end, pad_token_id=pad,
    )  # fmt: skip
    model = PageRecogniser(config)
    model.equip(card, tokenizer)
    return model


def check_canvas(settings: Settings, canvas: Canvas) -> None:
    """Raise InputError for a canvas that is no page, or whose sides and steps are no multiples of a cell's."""
    if canvas.mode != "page":
        raise InputError(f"model.canvas.mode {canvas.mode!r}: family page reads pages; use mode: page")
    cells = {"height": settings.row_px, "width": settings.column_px, "height_step": settings.row_px,
             "width_step": settings.column_px}  # fmt: skip
    for name, cell in cells.items():
        if getattr(canvas, name) % cell:
            raise InputError(f"model.canvas.{name} {getattr(canvas, name)}: must be a multiple of the cell's {cell} px")


def break_token(tokenizer: Any) -> int:  # noqa: ANN401
    """Return the id of the line break, -1 where it is no single token."""
    ids = tokenizer(BREAK, add_special_tokens=False)["input_ids"]
    return ids[0] if len(ids) == 1 else -1


def longest_text(tokenizer: Any, texts: Sequence[str]) -> int:  # noqa: ANN401
    """Return a limit in tokens for texts like these: the longest, its end token, and a tenth more."""
    longest = max((len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]), default=0)
    return int(1.1 * longest) + 2


def load(folder: str | Path) -> PageRecogniser:
    """Open a model folder. InputError where it has no card."""
    from safetensors.torch import load_file

    card = read_card(folder)
    if card is None:
        raise InputError(f"{folder}: no glyphline.json; a page model cannot be read without it")
    config = PageConfig.from_pretrained(str(folder))
    model = PageRecogniser(config)
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    model.equip(card, hub_tokenizer(str(folder)))
    model.load_language(folder)
    return model.eval()
