"""Layers with room for new tokens or characters: every known row stays where it was, new ones start unlikely."""

from __future__ import annotations

import torch
from torch import nn


def grow_embedding(old: nn.Embedding, size: int) -> nn.Embedding:
    """Return an embedding of `size` rows whose first are those of `old`."""
    grown = nn.Embedding(size, old.embedding_dim).to(old.weight)
    with torch.no_grad():
        grown.weight.normal_(std=float(old.weight.std()))
        grown.weight[: old.num_embeddings] = old.weight
    return grown


def grow_linear(old: nn.Linear, groups: int, size: int) -> nn.Linear:
    """Return a layer with `groups` times `size` outputs; the first of each group are those of `old`."""
    grown = nn.Linear(old.in_features, groups * size).to(old.weight)
    before = old.out_features // groups
    with torch.no_grad():
        grown.weight.normal_(std=0.02)
        grown.bias.fill_(float(old.bias.min()))
        grown.weight.view(groups, size, -1)[:, :before] = old.weight.view(groups, before, -1)
        grown.bias.view(groups, size)[:, :before] = old.bias.view(groups, before)
    return grown


def grow_convolution(old: nn.Conv1d, size: int) -> nn.Conv1d:
    """Return a convolution with `size` outputs whose first are those of `old`."""
    grown = nn.Conv1d(old.in_channels, size, old.kernel_size, padding=old.padding).to(old.weight)
    with torch.no_grad():
        grown.bias.fill_(float(old.bias.min()))
        grown.weight[: old.out_channels], grown.bias[: old.out_channels] = old.weight, old.bias
    return grown


def grow_input(old: nn.Linear, groups: int, size: int) -> nn.Linear:
    """Return a layer without bias that takes `groups` times `size` inputs; new ones count for nothing at first."""
    grown = nn.Linear(groups * size, old.out_features, bias=False).to(old.weight)
    before = old.in_features // groups
    with torch.no_grad():
        grown.weight.zero_()
        grown.weight.view(-1, groups, size)[:, :, :before] = old.weight.view(-1, groups, before)
    return grown
