"""`glyphline train`: both stages, all families; what differs is the YAML."""

from __future__ import annotations

import logging
import math
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphline import __version__, distributed
from glyphline.models import pick_device
from glyphline.settings import EXIT_DONE, EXIT_INTERRUPTED, InputError, build, command
from glyphline.training.folder import DONE, open_run, plain_identity
from glyphline.training.settings import ModelSettings, TrainSettings, TrainSource, ValidationSource

if TYPE_CHECKING:
    from glyphline.training.data import Source

logger = logging.getLogger(__name__)


@command(
    TrainSettings,
    name="train",
    example="glyphline train --config configs/train/stage1_demo.yaml --output runs/stage1",
    aliases={
        "--continue-from": "--continue_from",
        "--cont": "--continue_from",
        "--data": "--data.lines",
        "--dataset": "--data.lines",
        "--epochs": "--optimisation.epochs",
        "--weights": "--model.start",
        "--lr": "--optimisation.learning_rate",
        "--batch_size": "--optimisation.batch_size",
        "--data_dir": "--data.lines",
        "--load_model": "--model.start",
        "--learning_rate": "--optimisation.learning_rate",
        "--early_stopping_patience": "--control.patience",
        "--num_workers": "--workers",
        "--use_cpu": "--device=cpu",
        "--encoder": "--model.options.encoder",
        "--d_model": "--model.options.size",
        "--num_layers": "--model.options.layers",
        "--nhead": "--model.options.heads",
        "--dim_feedforward": "--model.options.inner",
        "--drop_dec": "--model.options.dropout",
        "--label_smoothing": "--model.options.label_smoothing",
    },
)
def main(settings: TrainSettings) -> int:
    """Train a recogniser on line images: stage 1 on rendered lines, stage 2 on real ones, by the same code.

    Reads folders of lines or a corpus, writes OUTPUT/model (opens in plain transformers), checkpoints/, curves.csv,
    curves.png, run.html, tensorboard/ and train.log. Ctrl+C saves first; --resume goes on.
    """
    if not settings.output:
        raise InputError("--output is required: the folder of the run")
    quieten()
    return train(settings)


def quieten() -> None:
    """Keep transformers to errors: what matters is said by our own log."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def train(settings: TrainSettings) -> int:
    """Run a training stage to its end or to an interruption; return the exit status."""
    if not distributed.is_main():
        logging.getLogger("glyphline").setLevel(logging.WARNING)
    distributed.join(on_cpu=pick_device(settings.device) == "cpu")
    folder, checkpoint = distributed.decide(lambda: open_run(settings))
    if (folder / DONE).exists() and checkpoint is None:
        logger.info("%s: already finished under these settings; model in %s", folder, folder / "model")
        return EXIT_DONE
    use_cores(settings)
    sources, validation = open_data(settings)
    recogniser = make_recogniser(settings, sources)
    over = _leave_out_long(recogniser, sources)
    trainer, interruption = make_trainer(settings, folder, recogniser, sources, validation)
    with interruption:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if interruption.asked:
        logger.warning("interrupted at step %d; add --resume to go on", trainer.state.global_step)
        return EXIT_INTERRUPTED
    _finish(settings, folder, trainer, over)
    return EXIT_DONE


def use_cores(settings: TrainSettings) -> None:
    """Give the arithmetic the cores of this process that its workers leave."""
    import torch

    cores = max(1, len(os.sched_getaffinity(0)) // distributed.local_world_size())
    torch.set_num_threads(settings.threads or max(1, cores - settings.workers))


def open_data(settings: TrainSettings) -> tuple[list[tuple[Source, TrainSource]], dict[str, list]]:
    """Open training sources with their settings, and validation sets by name."""
    from glyphline.training.data import open_source, open_validation

    if not settings.data.train:
        raise InputError("data.train is empty: name at least one folder of lines or corpus")
    sources = []
    for number, mapping in enumerate(settings.data.train):
        source = build(TrainSource, mapping, f"data.train[{number}]")
        sources.append((open_source(source, settings.seed + number), source))
    validation = {
        name: open_validation(build(ValidationSource, mapping, f"data.validation.{name}"), settings.seed)
        for name, mapping in settings.data.validation.items()
    }
    if settings.data.select_by and settings.data.select_by not in validation:
        raise InputError(f"data.select_by {settings.data.select_by!r}: known are {', '.join(validation)}")
    return sources, validation


def make_recogniser(settings: TrainSettings, sources: list[tuple[Source, TrainSource]]) -> Any:  # noqa: ANN401
    """Load the model to start from, or build a new one with a tokenizer and charset from the training texts."""
    import transformers

    from glyphline import plugins
    from glyphline.models import load_recogniser
    from glyphline.models.canvas import Canvas
    from glyphline.models.card import Card
    from glyphline.models.tokenizer import TokenizerSettings, hub_tokenizer, train_tokenizer
    from glyphline.text import charset

    transformers.set_seed(settings.seed)
    model = settings.model
    texts = [text for source, _ in sources for text in source.texts()]
    if model.start:
        recogniser = load_recogniser(model.start, "cpu")
        recogniser.retune(model.options)
        _make_room(recogniser, charset(texts), model)
        return recogniser.train()
    family = plugins.load("family", model.family)
    options = build(family.Settings, model.options, "model.options")
    tokenizer = None
    if getattr(family, "TOKENIZER", True):
        wanted = model.tokenizer or TokenizerSettings()
        tokenizer = hub_tokenizer(wanted.name) if wanted.kind == "hub" else train_tokenizer(texts, wanted)
    elif model.tokenizer:
        raise InputError(f"model.tokenizer: a {model.family} model has none; leave it out")
    limit = model.max_length or (family.longest_text(tokenizer, texts) if hasattr(family, "longest_text") else 64)
    card = Card(model.family, model.canvas or getattr(family, "CANVAS", Canvas()), limit, charset(texts))
    return family.build(options, card, tokenizer).train()


def _make_room(recogniser: Any, characters: str, model: ModelSettings) -> None:  # noqa: ANN401
    """Let the model grow by the characters that it lacks, or refuse to."""
    lacking = recogniser.lacks(characters)
    if not lacking:
        return
    if model.new_characters == "fail":
        raise InputError(
            f"model.new_characters: {model.start} lacks {len(lacking)} characters of the training texts: {lacking}"
        )
    logger.info("%d characters new to the model: %s", len(lacking), lacking)
    recogniser.grow(lacking)


def _leave_out_long(recogniser: Any, sources: list[tuple[Source, TrainSource]]) -> list[str]:  # noqa: ANN401
    from glyphline.training.data import check_frames, check_lengths

    opened = [source for source, _ in sources]
    over = check_lengths(opened, recogniser.labels.lengths, recogniser.card.max_length)
    if over:
        logger.warning(
            "%d lines are over max_length %d and left out, e.g. %r", len(over), recogniser.card.max_length, over[0]
        )
    if getattr(recogniser, "needs_frames", False):
        narrow = check_frames(opened, recogniser)
        if narrow:
            logger.warning("%d lines have more letters than CTC frames and are left out: %s", len(narrow), narrow[:20])
        over += narrow
    return over


def make_trainer(
    settings: TrainSettings, folder: Path, recogniser: Any, sources: list[tuple[Source, TrainSource]], validation: dict
) -> tuple[Any, Any]:
    """Put data, arguments and callbacks together."""
    from transformers import EarlyStoppingCallback, PrinterCallback

    from glyphline.training.data import BucketBatches, Collator, LineItems
    from glyphline.training.parameters import prepare
    from glyphline.training.samples import ReadSamples
    from glyphline.training.trainer import Interruption, Journal, LineTrainer

    optimisation = settings.optimisation
    parts = optimisation.accumulate * distributed.world_size()
    step_lines = optimisation.batch_size * parts
    length = sum(len(source) for source, _ in sources)
    steps = optimisation.steps or max(1, math.ceil(optimisation.epochs * length / step_lines))
    items = LineItems(sources, steps * step_lines, settings.seed)
    batches = BucketBatches(items, optimisation.batch_size, settings.data.length_window, settings.seed, parts)
    prepare(recogniser, optimisation)
    interruption, samples = Interruption(), ReadSamples(folder, validation)
    trainer = LineTrainer(
        model=recogniser,
        args=make_arguments(settings, folder, steps, list(validation)),
        items=items,
        batches=batches,
        collator=Collator(recogniser.preprocessor, recogniser.labels),
        validation=validation,
        optimisation=optimisation,
        samples=samples,
        callbacks=[interruption, Journal(folder, samples, page_facts(settings, recogniser, sources, validation))],
    )
    if settings.control.patience and validation:
        trainer.add_callback(EarlyStoppingCallback(settings.control.patience))
    trainer.remove_callback(PrinterCallback)
    accelerator = trainer.accelerator
    logger.info(
        "%.2f M parameters, %d training lines, %d steps of %d lines on %d processes (%s, %s, %s)",
        sum(p.numel() for p in recogniser.parameters()) / 1e6, length, steps, step_lines,
        accelerator.num_processes, accelerator.distributed_type.value, accelerator.device, optimisation.precision,
    )  # fmt: skip
    return trainer, interruption


def page_facts(
    settings: TrainSettings, recogniser: Any, sources: list[tuple[Source, TrainSource]], validation: dict
) -> dict[str, Any]:
    """Return what the run's page says that does not change while it runs."""
    data = {f"{n}: {plan.lines or plan.corpus}": source.facts for n, (source, plan) in enumerate(sources, start=1)}
    for name, samples in validation.items():
        data[f"validation {name}"] = {**settings.data.validation[name], "lines read": len(samples)}
    return {
        "settings": plain_identity(settings),
        "data": data,
        "parameters": sum(p.numel() for p in recogniser.parameters()),
        "moving": sum(p.numel() for p in recogniser.parameters() if p.requires_grad),
    }


def make_arguments(settings: TrainSettings, folder: Path, steps: int, validation: list[str]) -> Any:  # noqa: ANN401
    """Translate our settings into transformers' arguments; `optimisation.arguments` goes on top."""
    from transformers import Seq2SeqTrainingArguments

    optimisation, control = settings.optimisation, settings.control
    on_gpu = pick_device(settings.device) != "cpu"
    if optimisation.precision == "fp16" and not on_gpu:
        logger.warning("precision fp16 needs a GPU: training in fp32")
    every = min(control.evaluate_every, steps)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / "tensorboard")
    values = {
        "output_dir": str(folder / "checkpoints"),
        "max_steps": steps,
        "per_device_train_batch_size": optimisation.batch_size,
        "gradient_accumulation_steps": optimisation.accumulate,
        "learning_rate": optimisation.learning_rate,
        "lr_scheduler_type": optimisation.schedule,
        "warmup_steps": optimisation.warmup if optimisation.warmup < 1 else int(optimisation.warmup),
        "weight_decay": optimisation.weight_decay,
        "max_grad_norm": optimisation.clip,
        "activation_checkpointing": optimisation.gradient_checkpointing,
        "torch_compile": optimisation.compile,
        "bf16": optimisation.precision == "bf16",
        "fp16": optimisation.precision == "fp16" and on_gpu,
        "use_cpu": not on_gpu,
        "eval_strategy": "steps" if validation else "no",
        "eval_steps": every,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": max(control.keep, 1),
        "load_best_model_at_end": bool(validation),
        "metric_for_best_model": f"eval_{settings.data.select_by or validation[0]}_cer" if validation else None,
        "greater_is_better": False,
        "logging_steps": control.log_every,
        "report_to": control.report_to,
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "ddp_find_unused_parameters": False,
        "dataloader_num_workers": settings.workers,
        "restore_callback_states_from_checkpoint": True,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "disable_tqdm": True,
    }
    known = Seq2SeqTrainingArguments.__dataclass_fields__
    for key in optimisation.arguments:
        if key not in known:
            raise InputError(f"optimisation.arguments: transformers has no argument {key!r}")
    return Seq2SeqTrainingArguments(**values | optimisation.arguments)


def _finish(settings: TrainSettings, folder: Path, trainer: Any, over: list[str]) -> None:  # noqa: ANN401
    """Write the model with its card, the curves, and the result that marks the run as finished."""
    from glyphline.manifest import Storage, pretty
    from glyphline.training.parameters import merge_lora
    from glyphline.training.trainer import Journal, metrics_at

    recogniser = trainer.accelerator.unwrap_model(trainer.model)
    if trainer.average:
        trainer.average.copy_to(recogniser)
    merge_lora(recogniser)
    state = trainer.state
    best = metrics_at(state.log_history, state.best_global_step or state.global_step)
    recogniser.learn_language(trainer.train_dataset.whole_texts())
    best |= _tune(recogniser, trainer.validation, settings.data.select_by)
    fill_card(recogniser.card, settings, trainer, best, len(over))
    if not distributed.is_main():
        return
    beside = folder / "model.part"
    shutil.rmtree(beside, ignore_errors=True)
    recogniser.save_pretrained(beside)
    shutil.rmtree(folder / "model", ignore_errors=True)
    beside.replace(folder / "model")
    next(c for c in trainer.callback_handler.callbacks if isinstance(c, Journal)).write(trainer.state)
    result = {"steps": trainer.state.global_step, "best_step": trainer.state.best_global_step, "metrics": best}
    Storage(str(folder)).write(DONE, pretty(result).encode())
    for name, value in best.items():
        if name.endswith("_cer"):
            logger.info("%s  %.2f %%", name, 100 * value)
    logger.info("model: %s   curves: %s", folder / "model", folder / "curves.png")


def _tune(recogniser: Any, validation: dict[str, list], select_by: str | None) -> dict[str, float]:  # noqa: ANN401
    """Choose how the finished model reads by default, and return what it then scores."""
    from glyphline.training.trainer import name_metrics, read_scores
    from glyphline.training.tuning import tune_reading

    chosen = tune_reading(recogniser, validation[select_by or next(iter(validation))]) if validation else {}
    if not chosen:
        return {}
    logger.info("reading: %s", ", ".join(f"{key} {value:g}" for key, value in chosen.items()))
    metrics: dict[str, float] = {}
    for name, samples in validation.items():
        metrics |= name_metrics(read_scores(recogniser, samples), f"eval_{name}")
    return metrics


def fill_card(card: Any, settings: TrainSettings, trainer: Any, best: dict[str, float], over: int) -> None:  # noqa: ANN401
    """Record in glyphline.json what the model was trained on, how, and with what result."""
    import torch
    import transformers

    stage = f"stage{len(card.settings) + 1}"
    sources = [source.facts for source in trainer.train_dataset.sources]
    card.settings[stage] = plain_identity(settings)
    card.data[stage] = {"sources": sources, "over_max_length": over}
    card.metrics[stage] = best
    card.languages = sorted({*card.languages, *(code for facts in sources for code in facts.get("languages", []))})
    card.settings[stage] |= {
        "steps_done": trainer.state.global_step,
        "versions": {"glyphline": __version__, "torch": torch.__version__, "transformers": transformers.__version__},
        "card": asdict(card.canvas),
    }
