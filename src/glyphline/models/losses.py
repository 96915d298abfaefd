"""Losses as sums over the lines of a batch, and the joint loss of a model's branches."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from glyphline.models.ctc import BLANK


def ctc_loss(log_probs: torch.Tensor, labels: torch.Tensor, frames: torch.Tensor | None = None) -> torch.Tensor:
    """Return the CTC loss, summed over all lines; lines that do not fit their frames count 0.

    `log_probs` `(B, T, V)`; `labels` `(B, U)` padded with -100; `frames` `(B,)`, all T where it is not given.
    """
    lengths = (labels >= 0).sum(1)
    if frames is None:
        frames = torch.full_like(lengths, log_probs.shape[1])
    return nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        labels.clamp_min(0),
        frames,
        lengths,
        blank=BLANK,
        reduction="sum",
        zero_infinity=True,
    )


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Return the cross-entropy of logits `(B, T, V)`, summed over all tokens of `labels` `(B, T)` but those of -100."""
    return nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), reduction="sum", label_smoothing=smoothing
    )


def joint_loss(
    branches: Mapping[str, torch.Tensor],
    weights: Mapping[str, float],
    labels: torch.Tensor,
    step_labels: torch.Tensor | int | None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the weighted sum of summed losses divided by the labels of the whole step, and each branch's mean.

    `step_labels` is Trainer's num_items_in_batch; without it the labels of this batch count.
    """
    count = (labels != -100).sum()
    total = sum(weights[name] * loss for name, loss in branches.items())
    means = {name: loss.detach() / count for name, loss in branches.items()}
    return total / (count if step_labels is None else step_labels), means
