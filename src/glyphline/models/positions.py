"""Position tables for any grid: transformers' own interpolation assumes a square one and fails on lines."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from glyphline.models.canvas import Canvas
from glyphline.settings import InputError


def _pair(value: Any) -> tuple[int, int]:  # noqa: ANN401
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def grid_of(config: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return (rows, columns) of patches of a ViT or DeiT configuration."""
    (height, width), (patch_height, patch_width) = _pair(config.image_size), _pair(config.patch_size)
    return height // patch_height, width // patch_width


class GridPositions:
    """Mixed into a ViT's embeddings: a narrower batch takes the left columns of the table, nothing is interpolated."""

    rows: int
    columns: int
    special: int

    def interpolate_pos_encoding(self, embeddings: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return the positions `(1, special + rows * columns, D)` of a batch of `height` x `width` pixels."""
        table = self.position_embeddings
        rows, columns = height // self.patch[0], width // self.patch[1]
        if (rows, columns) == (self.rows, self.columns):
            return table
        if rows > self.rows or columns > self.columns:
            raise InputError(f"a batch of {height}x{width} pixels is larger than the model's canvas")
        grid = table[:, self.special :].unflatten(1, (self.rows, self.columns))
        return torch.cat([table[:, : self.special], grid[:, :rows, :columns].flatten(1, 2)], 1)


def adopt_grid(embeddings: nn.Module) -> None:
    """Give a ViT's or DeiT's embeddings module `GridPositions`, in place: its weights and their names stay."""
    kind = type(embeddings)
    if not hasattr(embeddings, "position_embeddings") or not hasattr(kind, "interpolate_pos_encoding"):
        raise InputError(f"encoder with {kind.__name__}: only ViT and DeiT encoders are known")
    if not isinstance(embeddings, GridPositions):
        embeddings.__class__ = type(f"Grid{kind.__name__}", (GridPositions, kind), {})
    embeddings.rows, embeddings.columns = grid_of(embeddings.patch_embeddings)
    embeddings.patch = _pair(embeddings.patch_embeddings.patch_size)
    embeddings.special = embeddings.position_embeddings.shape[1] - embeddings.rows * embeddings.columns


def resize_table(table: torch.Tensor, old: tuple[int, int], new: tuple[int, int]) -> torch.Tensor:
    """Resize a position table `(1, special + rows * columns, D)` from one grid to another, bicubic; specials stay."""
    special = table.shape[1] - old[0] * old[1]
    grid = table[:, special:].unflatten(1, old).permute(0, 3, 1, 2)
    grid = nn.functional.interpolate(grid, size=new, mode="bicubic", align_corners=False)
    return torch.cat([table[:, :special], grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def sinusoids(rows: int, columns: int, size: int) -> torch.Tensor:
    """Return a 2-D sinusoidal table `(rows * columns, size)`: half of the size for the column, half for the row.

    As a start for learnt positions it lets attention find neighbours from the first step, at every place alike
    (Vaswani et al., 2017; in two dimensions, He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022).
    """
    halves = []
    for places, length in ((torch.arange(columns).repeat(rows), size - size // 2), (None, size // 2)):
        places = torch.arange(rows).repeat_interleave(columns) if places is None else places
        rates = 10000.0 ** (-torch.arange((length + 1) // 2) / ((length + 1) // 2))
        angles = places[:, None] * rates[None, :]
        halves.append(torch.cat([angles.sin(), angles.cos()], 1)[:, :length])
    return torch.cat(halves, 1)


def fit_positions(encoder: nn.Module, canvas: Canvas) -> None:
    """Make a pretrained encoder take the canvas: its table resized, its configuration told."""
    config, embeddings = encoder.config, encoder.embeddings
    patch = _pair(config.patch_size)
    if canvas.height % patch[0] or canvas.width % patch[1]:
        raise InputError(
            f"canvas {canvas.height}x{canvas.width} is no multiple of the checkpoint's patch {patch[0]}x{patch[1]}"
        )
    old, new = grid_of(config), (canvas.height // patch[0], canvas.width // patch[1])
    with torch.no_grad():
        table = resize_table(embeddings.position_embeddings, old, new) if old != new else embeddings.position_embeddings
    embeddings.position_embeddings = nn.Parameter(table.clone())
    config.image_size = [canvas.height, canvas.width]
    embeddings.image_size = embeddings.patch_embeddings.image_size = (canvas.height, canvas.width)
    embeddings.patch_embeddings.num_patches = new[0] * new[1]
