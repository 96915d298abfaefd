"""The settings of a training stage: stages and families differ by these and not by code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from glyphline.models.canvas import Canvas
from glyphline.models.tokenizer import TokenizerSettings
from glyphline.settings import InputError, execution


@dataclass
class ModelSettings:
    """What is trained: a new model of a family, or one that exists."""

    family: str = "trocr"
    """Name of a file under models/families."""
    start: str | None = None
    """Model folder, run folder or hub name to start from; canvas, tokenizer and options are then its own."""
    canvas: Canvas | None = None
    """What the model sees; the family's own where nothing is said: 32 x 640 pixels `line`, 640 x 640 `page`."""
    tokenizer: TokenizerSettings | None = None
    """What the decoder writes; trained characters where nothing is said."""
    max_length: int | None = None
    """Tokens of a text, its end token included: the one limit of labels, validation and reading; where nothing is said
    64 for lines, and for pages what the training texts ask for."""
    new_characters: Literal["union", "fail"] = "union"
    """With `start`: `union` adds characters that the model lacks and keeps every known row, `fail` names them and
    ends."""
    options: dict[str, Any] = field(default_factory=dict)
    """The family's own settings; with `start`, those that steer the loss may be changed (trocr: ctc_weight)."""

    def __post_init__(self) -> None:
        """Refuse settings that would have no effect."""
        if self.start and (self.canvas or self.tokenizer or self.max_length):
            raise InputError("model.start: canvas, tokenizer and max_length come from it; leave them out")


@dataclass
class TrainSource:
    """One source of training lines: a folder of lines, or a corpus that is rendered on the fly."""

    lines: str | None = None
    """Folder of lines, written by render or prepare."""
    corpus: str | None = None
    """Folder of a corpus, or a text file; its train split is rendered as it is needed."""
    split: str = "train"
    """Split to train on."""
    weight: float = 1.0
    """Share of this source among all, relative to the other weights."""
    begin: float = 0.0
    """Share of the run after which this source is used: with `end`, a curriculum of several sources."""
    end: float = 1.0
    """Share of the run until which this source is used."""
    longest: int = 0
    """Leave out lines of more graphemes than this; 0 takes all."""
    rarest: int = 0
    """Leave out lines with a character that occurs in fewer lines of this source: it could hardly be learnt; 0 takes
    all."""
    pieces: int = 0
    """Learn pieces of 1 to so many graphemes of the lines, for `corpus`; 0 leaves lines whole. From random weights,
    short pieces first teach the letters' shapes many times faster than lines."""
    preset: str = "clean"
    """Rendering preset, for `corpus`."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """Changes to the preset, for `corpus`."""
    fonts: list[str] = field(default_factory=list)
    """Font files or folders, for `corpus`; the system's where none are named."""
    augment: str | None = None
    """Rendering preset whose effects are drawn afresh on every real line at every pass, for `lines`; or
    `albumentations:FILE`, a pipeline that albumentations has saved (extra `aug`)."""
    compose: float = 0.0
    """Share of lines that are put together from spans of words of several lines of this source, for `lines`."""
    page: dict[str, Any] | None = None
    """Put lines together to pages: `least` and `most` lines, `wrap`, `share`, `margin` and the rest of
    `glyphline render --page`. With `begin` and `end`, a curriculum from one line to many."""

    def __post_init__(self) -> None:
        """One of the two kinds, and a share that can be drawn."""
        if bool(self.lines) == bool(self.corpus):
            raise InputError("name either `lines` (a folder of lines) or `corpus` (rendered on the fly)")
        if self.pieces and self.lines:
            raise InputError("pieces: only for `corpus`; the pictures of `lines` are not cut")
        if not 0.0 <= self.compose <= 1.0 or (self.compose and self.corpus):
            raise InputError("compose: a share from 0 to 1, for `lines` alone")
        if self.page is not None and self.compose:
            raise InputError("compose: not with `page`; name the folder twice, each with its weight")
        if self.weight <= 0:
            raise InputError(f"weight {self.weight}: must be above 0")
        if not 0.0 <= self.begin < self.end <= 1.0:
            raise InputError(f"begin {self.begin}, end {self.end}: shares of the run, 0 <= begin < end <= 1")


@dataclass
class ValidationSource:
    """Lines that are read at every evaluation."""

    lines: str
    """Folder of lines, written by render or prepare."""
    split: str = "validation"
    """Split that is read."""
    limit: int = 500
    """At most so many lines, chosen by a fixed draw; 0 for all."""


@dataclass
class DataSettings:
    """What is learnt from and what is checked against."""

    lines: str | None = None
    """The short way: one folder of lines, whose train split is learnt from (beside `train`) and whose validation split,
    named `lines`, chooses the best checkpoint (unless `validation` names others)."""
    train: list[dict[str, Any]] = field(default_factory=list)
    """Sources: each has `lines` or `corpus`, and `weight`, `split`, `preset`, `recipe`, `fonts`, `augment`."""
    validation: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: `lines`, `split`, `limit`. The first chooses the best checkpoint unless `select_by` names another."""
    select_by: str | None = None
    """Name of the validation set whose CER chooses the best checkpoint."""
    length_window: int = 64
    """Batches that are sorted by length together: wide windows waste less padding, narrow ones mix better."""

    def __post_init__(self) -> None:
        """Spell the short way out."""
        if self.lines:
            self.train = [*self.train, {"lines": self.lines}]
            self.validation = self.validation or {"lines": {"lines": self.lines}}
            self.lines = None


@dataclass
class LoraSettings:
    """Low-rank adapters: small matrices that move instead of the weights, merged into them at the end."""

    rank: int = 0
    """Rank of an adapter, 16 for instance; 0 trains the weights themselves."""
    alpha: float = 32.0
    """Its scale, times 1 / rank."""
    dropout: float = 0.0
    """Dropout of its input."""
    targets: list[str] = field(default_factory=lambda: ["q_proj", "v_proj", "query", "value"])
    """Names of the linear layers that get one."""


@dataclass
class OptimisationSettings:
    """How the weights move."""

    epochs: float = 1.0
    """Passes over the training lines (of all sources together); not used where `steps` is given."""
    steps: int | None = None
    """Optimiser steps in all."""
    batch_size: int = 32
    """Lines a process and step, before accumulation."""
    accumulate: int = 1
    """Batches whose gradients are summed into one step."""
    optimiser: Literal["adamw", "muon"] = "adamw"
    """How gradients become steps. `muon` moves the layers' matrices by orthogonal steps and all else by AdamW: from
    random weights it learns from far fewer lines."""
    learning_rate: float = 1e-3
    """Peak learning rate of AdamW."""
    matrix_rate: float = 0.02
    """With `muon`: peak learning rate of the layers' matrices, in its own units."""
    schedule: Literal["cosine", "linear", "constant_with_warmup", "inverse_sqrt"] = "cosine"
    """Course of the learning rate after warm-up."""
    warmup: float = 0.05
    """Warm-up: a share of all steps below 1, a number of steps from 1 on."""
    weight_decay: float = 0.01
    """AdamW's decoupled weight decay."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: float = 0.0
    """Decay of a moving average of the weights, which is what is scored and kept; 0.999 is usual, 0 has none."""
    rates: dict[str, float] = field(default_factory=dict)
    """Learning rates of parts as factors of the whole, by how their names begin: {encoder: 0.1}."""
    layer_decay: float = 1.0
    """Factor of the learning rate from each layer to the one below; 1 is the same for all."""
    freeze: list[str] = field(default_factory=list)
    """Parts that do not move, by how their names begin: [encoder], or [encoder.embeddings, encoder.layers.0]."""
    lora: LoraSettings = field(default_factory=LoraSettings)
    """Train low-rank adapters (and the CTC head) instead of the weights; needs the extra `lora`."""
    gradient_checkpointing: bool = False
    """Compute the forward pass twice to save memory."""
    compile: bool = False
    """Compile the model with torch.compile; a minute or more of waiting at first."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Number format of the forward pass; fp16 needs a GPU."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Any further transformers Seq2SeqTrainingArguments by name, for what has no setting here."""

    def __post_init__(self) -> None:
        """Refuse factors that are none."""
        if not 0.0 <= self.ema < 1.0:
            raise InputError(f"optimisation.ema {self.ema}: a decay from 0 to below 1, such as 0.999")
        if not 0.0 < self.layer_decay <= 1.0:
            raise InputError(f"optimisation.layer_decay {self.layer_decay}: above 0, at most 1")
        for prefix, factor in self.rates.items():
            if factor < 0:
                raise InputError(f"optimisation.rates.{prefix} {factor}: must not be negative")


@dataclass
class ControlSettings:
    """When it evaluates, saves and stops."""

    evaluate_every: int = 500
    """Steps between evaluations; each saves a checkpoint."""
    log_every: int = 50
    """Steps between log lines."""
    patience: int = 0
    """Stop after so many evaluations without a better CER; 0 never stops early."""
    keep: int = 2
    """Checkpoints kept beside the best."""
    report_to: list[str] = field(default_factory=lambda: ["tensorboard"])
    """Trackers, by transformers' names."""


@dataclass
class TrainSettings:
    """Everything that `glyphline train` does."""

    output: str = execution("")
    """Folder of the run: checkpoints/, model/, curves, log."""
    model: ModelSettings = field(default_factory=ModelSettings)
    """What is trained."""
    data: DataSettings = field(default_factory=DataSettings)
    """On which lines."""
    optimisation: OptimisationSettings = field(default_factory=OptimisationSettings)
    """How."""
    control: ControlSettings = field(default_factory=ControlSettings)
    """When it evaluates, saves and stops."""
    seed: int = 42
    """Seed of weights, order, rendering and augmentation."""
    resume: bool = execution(False)
    """Go on with an unfinished run in `output`, from its last whole checkpoint."""
    continue_from: str | None = execution(None)
    """Run folder to go on from in a new numbered folder, under these settings; it stays untouched."""
    workers: int = execution(0)
    """Processes that render and decode; 0 does it between the steps, enough for small models on few cores."""
    threads: int = execution(0)
    """Threads of the arithmetic; 0 takes the cores that the workers leave."""
    device: str = execution("auto")
    """auto, cpu or cuda."""
