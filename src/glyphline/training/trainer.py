"""The one Trainer of all families: transformers' Seq2SeqTrainer with our data order, scoring and checkpoints."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader
from transformers import Seq2SeqTrainer, TrainerCallback

from glyphline import distributed
from glyphline.evaluation.scores import Score, score_modes
from glyphline.records import Sample
from glyphline.training.averaging import Average
from glyphline.training.curves import draw_curves, write_csv
from glyphline.training.data import BucketBatches, Collator, LineItems
from glyphline.training.optimisers import MuonAdamW
from glyphline.training.parameters import moving_weights, parameter_groups
from glyphline.training.samples import ReadSamples, write_page
from glyphline.training.settings import OptimisationSettings

logger = logging.getLogger(__name__)

ADAPTERS = "adapters.safetensors"
"""What moves, in the checkpoints of a run with adapters."""


class LineTrainer(Seq2SeqTrainer):
    """Trains any recogniser on `LineItems` and scores it by free-running reading on named validation sets."""

    def __init__(
        self,
        *,
        items: LineItems,
        batches: BucketBatches,
        collator: Collator,
        validation: Mapping[str, Sequence[Sample]],
        optimisation: OptimisationSettings,
        samples: ReadSamples,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(train_dataset=items, data_collator=collator, eval_dataset=[], **kwargs)
        self.batches, self.validation, self.optimisation, self.samples = batches, validation, optimisation, samples
        self.average = Average(optimisation.ema) if optimisation.ema else None
        if self.average:
            self.add_callback(self.average)
        self.branch_sums: dict[str, torch.Tensor] = {}
        self.branch_count = 0
        self.lines_seen, self.since, self.waited_s = 0, time.monotonic(), 0.0

    def get_train_dataloader(self) -> DataLoader:
        """Return the loader of the run's batches; accelerate deals them out among processes."""
        workers = self.args.dataloader_num_workers
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=self.batches,
            collate_fn=self.data_collator,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=4 if workers else None,
            pin_memory=torch.cuda.is_available(),
            multiprocessing_context="forkserver" if workers else None,
            worker_init_fn=use_one_thread,
        )
        return self.accelerator.prepare(loader)

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Take the batches of a step from the loader; how long that takes is the wait for data."""
        started = time.monotonic()
        batches = super().get_batch_samples(*args, **kwargs)
        self.waited_s += time.monotonic() - started
        return batches

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:  # noqa: ANN401
        """Make the optimiser that the arguments name, with our learning rates by part and layer."""
        if self.optimizer is None:
            model = self.model if model is None else model
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, model)
            if self.optimisation.optimiser == "muon":
                kind, options = MuonAdamW, {key: options[key] for key in ("betas", "eps")}
            decayed = set(self.get_decay_parameter_names(model))
            self.optimizer = kind(parameter_groups(model, self.optimisation, decayed), **options)
        return self.optimizer

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return the loss; the branches' losses are summed for the log."""
        self.lines_seen += len(inputs["pixel_values"])
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        for name, value in getattr(self.accelerator.unwrap_model(model), "branch_losses", {}).items():
            self.branch_sums[name] = self.branch_sums.get(name, 0.0) + value
        self.branch_count += 1
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Add the branches' mean losses, lines a second and the share of time spent waiting for data to the log."""
        if "loss" in logs and self.branch_count:
            logs |= {f"loss_{name}": float(total) / self.branch_count for name, total in self.branch_sums.items()}
            elapsed = time.monotonic() - self.since
            logs["lines_per_second"] = round(self.lines_seen * distributed.world_size() / max(elapsed, 1e-9), 1)
            logs["data_wait"] = round(self.waited_s / max(elapsed, 1e-9), 4)
            if torch.cuda.is_available():
                logs["gpu_memory_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
            self.branch_sums, self.branch_count = {}, 0
            self.lines_seen, self.since, self.waited_s = 0, time.monotonic(), 0.0
        super().log(logs, *args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:  # noqa: ANN401
        """Read every validation set by every mode and return CER, WER and exact match of each."""
        started = time.monotonic()
        recogniser = self.accelerator.unwrap_model(self.model)
        metrics: dict[str, float] = {}
        with self.average.applied(recogniser) if self.average else nullcontext():
            for name, samples in self.validation.items():
                scores = read_scores(recogniser, samples)
                metrics |= name_metrics(scores, f"eval_{name}")
                if self.is_world_process_zero():
                    self.samples.note(self.state.global_step, name, scores)
        self.log(metrics)
        for callback in self.callback_handler.callbacks:
            if getattr(callback, "tb_writer", None) is not None:
                self.samples.show(callback.tb_writer, self.state.global_step)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.since += time.monotonic() - started
        return metrics

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ANN401
        """Write a checkpoint's weights: a whole model folder, or with adapters only what moves; the average beside."""
        folder = Path(output_dir or self.args.output_dir)
        if self.optimisation.lora.rank:
            folder.mkdir(parents=True, exist_ok=True)
            save_file({name: weight.detach() for name, weight in moving_weights(self.model).items()}, folder / ADAPTERS)
        else:
            super()._save(output_dir, state_dict)
        if self.average:
            self.average.save(folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ANN401
        """Load all weights, those that lie beside the standard file too."""
        load_weights(model or self.model, resume_from_checkpoint)
        if self.average:
            self.average.load(resume_from_checkpoint, self.args.device)

    def _load_best_model(self) -> None:
        best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
        recogniser = self.accelerator.unwrap_model(self.model)
        load_weights(recogniser, best)
        if self.average:
            self.average.load(best, self.args.device)


def use_one_thread(_: int) -> None:
    """Keep a loader process to the one core that it was counted for."""
    import cv2

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def read_scores(recogniser: Any, samples: Sequence[Sample]) -> dict[str, Score]:  # noqa: ANN401
    """Read samples by the default mode first, then by each branch where there are several."""
    modes = ("auto", *recogniser.modes) if len(recogniser.modes) > 1 else recogniser.modes
    return score_modes(recogniser, samples, modes)


def name_metrics(scores: Mapping[str, Score], prefix: str) -> dict[str, float]:
    """Return `{prefix}_cer` and so on of the first reading, and `{prefix}_ctc_cer` … of each branch."""
    metrics: dict[str, float] = {}
    for number, (mode, score) in enumerate(scores.items()):
        name = f"{prefix}_{mode}" if number else prefix
        metrics |= {f"{name}_cer": score.cer, f"{name}_wer": score.wer, f"{name}_exact": score.exact}
    return metrics


def load_weights(model: Any, folder: str | Path) -> None:  # noqa: ANN401
    """Copy the weights of a checkpoint of ours into `model`, which has the same shape."""
    from glyphline import plugins

    adapters = Path(folder) / ADAPTERS
    if adapters.exists():
        moving = load_file(adapters, device=str(model.device))
        with torch.no_grad():
            for name, weight in moving_weights(model).items():
                weight.copy_(moving[name])
        return
    saved = plugins.load("family", model.card.family).load(folder)
    model.load_state_dict(saved.state_dict())


class Interruption(TrainerCallback):
    """Ctrl+C and SIGTERM end the run after the current step, with a checkpoint; a second one ends it at once."""

    def __init__(self) -> None:
        self.asked = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        logger.warning("%s: saving after this step (once more ends at once)", signal.Signals(number).name)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Ask the Trainer to save and stop."""
        if self.asked:
            control.should_save = control.should_training_stop = True


class Journal(TrainerCallback):
    """Shows a progress bar and one readable line a log; writes curves.csv, curves.png and run.html at evaluations."""

    def __init__(self, folder: Path, samples: ReadSamples, facts: Mapping[str, Any]) -> None:
        self.folder, self.title, self.samples, self.facts = folder, folder.name, samples, facts
        self.bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Open the bar, where somebody looks."""
        from tqdm import tqdm

        hidden = not (state.is_world_process_zero and sys.stderr.isatty())
        self.bar = tqdm(
            total=state.max_steps, initial=state.global_step, unit="step", desc=self.title, mininterval=0.5,
            dynamic_ncols=True, disable=hidden,
        )  # fmt: skip

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Move the bar."""
        self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Print the values of a log entry in one line, on the main process."""
        if not state.is_world_process_zero or not logs:
            return
        from tqdm.contrib.logging import logging_redirect_tqdm

        shown = [f"{key.removeprefix('eval_')} {_figure(key, logs[key])}" for key in logs if _is_shown(key)]
        with logging_redirect_tqdm():
            if shown:
                logger.info("step %d/%d  %s", state.global_step, state.max_steps, "  ".join(shown))

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Write table and picture."""
        self.write(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Close the bar."""
        self.bar.close()

    def write(self, state: Any) -> None:  # noqa: ANN401
        """Write curves.csv and curves.png of what was logged so far."""
        if not state.is_world_process_zero:
            return
        write_csv(state.log_history, self.folder / "curves.csv")
        draw_curves(state.log_history, self.folder / "curves.png", self.title)
        facts = self.facts | {
            "step": state.global_step,
            "steps": state.max_steps,
            "best_step": state.best_global_step,
            "newest": metrics_at(state.log_history, max((e["step"] for e in state.log_history), default=0)),
            "best": metrics_at(state.log_history, state.best_global_step),
        }
        write_page(self.folder / "run.html", self.title, facts, self.samples, self.folder / "curves.png")


def metrics_at(history: Sequence[Mapping[str, Any]], step: int | None) -> dict[str, float]:
    """Return what the evaluation of a step measured."""
    merged: dict[str, float] = {}
    for entry in history:
        if entry.get("step") == step:
            merged |= {key: value for key, value in entry.items() if key.startswith("eval_")}
    return merged


def _is_shown(key: str) -> bool:
    if key.startswith("eval_"):
        return key.endswith("_cer")
    return key.startswith("loss") or key in ("learning_rate", "lines_per_second", "data_wait")


def _figure(key: str, value: float) -> str:
    return f"{100 * value:.2f}%" if key.endswith("_cer") else f"{value:.4g}"
