"""Muon for the layers' matrices and AdamW for all else, as one optimiser that saves, resumes and schedules as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from glyphline.settings import InputError

_IN_LAYERS = re.compile(r"(^|\.)layers?\.\d+\.")


def is_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Return whether a weight is a matrix of a layer; embeddings, heads, biases and convolutions are not."""
    return parameter.ndim == 2 and bool(_IN_LAYERS.search(name))


class MuonAdamW(torch.optim.Optimizer):
    """Groups with `orthogonal: True` are moved by torch's Muon, the others by its AdamW, on one state.

    Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) makes the momentum of a matrix orthogonal, so
    that all its directions learn alike. Schedules and checkpoints see one optimiser.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], **adamw: Any) -> None:  # noqa: ANN401
        if not hasattr(torch.optim, "Muon"):
            raise InputError("optimisation.optimiser: muon needs torch 2.9 or later; use adamw")
        matrices = [group for group in groups if group.get("orthogonal")]
        rest = [{"orthogonal": False, **group} for group in groups if not group.get("orthogonal")]
        self._parts = {}
        if matrices:
            self._parts[True] = torch.optim.Muon(matrices, adjust_lr_fn="original")
        if rest:
            self._parts[False] = torch.optim.AdamW(rest, **adamw)
        super().__init__([group for part in self._parts.values() for group in part.param_groups], {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # noqa: ANN401
        """Move all weights by one step; return what `closure` returns, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for orthogonal, part in self._parts.items():  # loading a state makes new groups, so they are dealt anew
            part.param_groups = [group for group in self.param_groups if group["orthogonal"] is orthogonal]
            part.state = self.state
            part.step()
        return loss
