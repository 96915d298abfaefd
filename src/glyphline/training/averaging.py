"""A moving average of the weights: what is scored and kept, while training goes on with the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import TrainerCallback

from glyphline.training.parameters import moving_weights

FILE = "average.safetensors"


class Average(TrainerCallback):
    """Exponential moving average (Polyak and Juditsky 1992), its decay growing to `decay` over the first steps.

    Only weights that move are held. A checkpoint holds both, so that a resumed run goes on exactly.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, torch.Tensor] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Start from the weights as they are, unless a checkpoint brought an average."""
        if not self.weights:
            self.weights = {name: weight.detach().clone() for name, weight in moving_weights(model).items()}

    @torch.no_grad()
    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Move the average towards the weights."""
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        for name, weight in moving_weights(model).items():
            self.weights[name].lerp_(weight.detach(), 1 - decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Lend the model the average."""
        mine = {name: weight.detach().clone() for name, weight in moving_weights(model).items()}
        self.copy_to(model)
        try:
            yield
        finally:
            _assign(model, mine)

    def copy_to(self, model: nn.Module) -> None:
        """Give the model the average for good."""
        if self.weights:
            _assign(model, self.weights)

    def save(self, folder: str | Path) -> None:
        """Write the average into a checkpoint."""
        from safetensors.torch import save_file

        save_file({name: weight.contiguous() for name, weight in self.weights.items()}, Path(folder) / FILE)

    def load(self, folder: str | Path, device: torch.device) -> None:
        """Take the average of a checkpoint; one without (a run continued with averaging switched on) has none."""
        from safetensors.torch import load_file

        path = Path(folder) / FILE
        self.weights = load_file(path, device=str(device)) if path.exists() else {}


@torch.no_grad()
def _assign(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    for name, weight in moving_weights(model).items():
        weight.copy_(weights[name])
