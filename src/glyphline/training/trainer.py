"""The one Trainer of all families: transformers' Seq2SeqTrainer with our data order, scoring and checkpoints."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import Seq2SeqTrainer, TrainerCallback

from glyphline import distributed
from glyphline.evaluation.scores import score_modes
from glyphline.records import Sample
from glyphline.training.curves import draw_curves, write_csv
from glyphline.training.data import BucketBatches, Collator, LineItems

logger = logging.getLogger(__name__)


class LineTrainer(Seq2SeqTrainer):
    """Trains any recogniser on `LineItems` and scores it by free-running reading on named validation sets."""

    def __init__(
        self,
        *,
        items: LineItems,
        batches: BucketBatches,
        collator: Collator,
        validation: Mapping[str, Sequence[Sample]],
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(train_dataset=items, data_collator=collator, eval_dataset=[], **kwargs)
        self.batches, self.validation = batches, validation
        self.branch_sums: dict[str, torch.Tensor] = {}
        self.branch_count = 0
        self.lines_seen, self.since = 0, time.monotonic()

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
        )
        return self.accelerator.prepare(loader)

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return the loss; the branches' losses are summed for the log."""
        self.lines_seen += len(inputs["pixel_values"])
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        for name, value in getattr(self.accelerator.unwrap_model(model), "branch_losses", {}).items():
            self.branch_sums[name] = self.branch_sums.get(name, 0.0) + value
        self.branch_count += 1
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Add the branches' mean losses and the rate to the training log."""
        if "loss" in logs and self.branch_count:
            logs |= {f"loss_{name}": float(total) / self.branch_count for name, total in self.branch_sums.items()}
            elapsed = time.monotonic() - self.since
            logs["lines_per_second"] = round(self.lines_seen * distributed.world_size() / max(elapsed, 1e-9), 1)
            self.branch_sums, self.branch_count = {}, 0
            self.lines_seen, self.since = 0, time.monotonic()
        super().log(logs, *args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:  # noqa: ANN401
        """Read every validation set by every mode and return CER, WER and exact match of each."""
        started = time.monotonic()
        recogniser = self.accelerator.unwrap_model(self.model)
        metrics: dict[str, float] = {}
        for name, samples in self.validation.items():
            metrics |= read_scores(recogniser, samples, f"eval_{name}")
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.since += time.monotonic() - started
        return metrics

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ANN401
        """Load all weights, those that lie beside the standard file too."""
        load_weights(model or self.model, resume_from_checkpoint)

    def _load_best_model(self) -> None:
        best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
        load_weights(self.accelerator.unwrap_model(self.model), best)


def read_scores(recogniser: Any, samples: Sequence[Sample], prefix: str) -> dict[str, float]:  # noqa: ANN401
    """Return `{prefix}_cer` and so on of the joint reading, and `{prefix}_ctc_cer` … of each branch."""
    metrics: dict[str, float] = {}
    modes = ("auto", *recogniser.modes) if len(recogniser.modes) > 1 else recogniser.modes
    for mode, score in score_modes(recogniser, samples, modes).items():
        name = prefix if mode == modes[0] else f"{prefix}_{mode}"
        metrics |= {f"{name}_cer": score.cer, f"{name}_wer": score.wer, f"{name}_exact": score.exact}
    return metrics


def load_weights(model: Any, folder: str | Path) -> None:  # noqa: ANN401
    """Copy the weights of a model folder of ours into `model`, which has the same shape."""
    from glyphline import plugins

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
    """Shows a progress bar and one readable line a log; writes curves.csv and curves.png at every evaluation."""

    def __init__(self, folder: Path, title: str) -> None:
        self.folder, self.title = folder, title
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
        if state.is_world_process_zero:
            write_csv(state.log_history, self.folder / "curves.csv")
            draw_curves(state.log_history, self.folder / "curves.png", self.title)


def _is_shown(key: str) -> bool:
    if key.startswith("eval_"):
        return key.endswith("_cer")
    return key.startswith("loss") or key in ("learning_rate", "lines_per_second")


def _figure(key: str, value: float) -> str:
    return f"{100 * value:.2f}%" if key.endswith("_cer") else f"{value:.4g}"
