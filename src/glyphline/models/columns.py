"""From line pictures to a sequence of column features: a residual network, then the maximum over each column.

After He et al. (ResNet, CVPR 2016) and Retsinas et al. ("Best practices for a handwritten text recognition system",
DAS 2022). What lies right of a picture is set to zero before every convolution, as the convolution itself does at the
edge: a picture's features do not depend on how wide its batch is.
"""

from __future__ import annotations

import torch
from torch import nn

BACKBONES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "light": ((16, 48, 96, 192), (1, 1, 1, 1)),
    "resnet18": ((64, 128, 256, 512), (2, 2, 2, 2)),
    "resnet34": ((64, 128, 256, 512), (3, 4, 6, 3)),
}
"""Channels and residual blocks of the four stages."""
HALVINGS = {4: (2, 1, 2, 1, 1), 8: (2, 1, 2, 2, 1), 16: (2, 1, 2, 2, 2), 32: (2, 2, 2, 2, 2)}
"""By pixels of width that a column stands for: strides along the line, of the stem and the four stages."""
HEIGHT_STRIDES = (2, 1, 2, 2, 2)
"""Strides down the line, of the stem and the four stages."""


class Columns(nn.Module):
    """Grey pictures `(B, 1, H, W)` to columns `(B, ceil(W / column_width), channels)`."""

    def __init__(self, backbone: str, column_width: int) -> None:
        super().__init__()
        channels, blocks = BACKBONES[backbone]
        strides = list(zip(HEIGHT_STRIDES, HALVINGS[column_width], strict=True))
        self.column_width, self.channels = column_width, channels[-1]
        self.stem = Convolution(1, channels[0], 5, strides[0])
        layers: list[nn.Module] = []
        before = channels[0]
        for width, count, stride in zip(channels, blocks, strides[1:], strict=True):
            for number in range(count):
                layers.append(Block(before, width, (1, 1) if number else stride))
                before = width
        self.blocks = nn.ModuleList(layers)

    def forward(self, pictures: torch.Tensor, widths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return columns `(B, T, C)`, zero beyond each picture's end, and their numbers `(B,)`.

        `widths` are the pictures' own widths in pixels, at least 1; paper is 0 in `pictures`.
        """
        valid = Valid(widths, pictures.shape[-1])
        features, valid = self.stem(pictures, valid)
        features = valid.keep(features.relu()).contiguous(memory_format=torch.channels_last)  # a quarter faster
        for block in self.blocks:
            features, valid = block(features, valid)
        return features.amax(2).transpose(1, 2), valid.widths


class Valid:
    """How far each picture of a batch reaches, at one resolution."""

    def __init__(self, widths: torch.Tensor, width: int) -> None:
        self.widths, self.width = widths, width
        self.whole = bool((widths >= width).all())
        self.mask = torch.empty(0) if self.whole else (torch.arange(width, device=widths.device) < widths[:, None])

    def halved(self, stride: int) -> Valid:
        """Return the same after a convolution of this stride along the line."""
        return self if stride == 1 else Valid(-(-self.widths // stride), -(-self.width // stride))

    def keep(self, features: torch.Tensor) -> torch.Tensor:
        """Set features `(B, C, H, W)` to zero beyond the pictures."""
        return features if self.whole else features * self.mask[:, None, None].to(features.dtype)


class Convolution(nn.Module):
    """Convolution and batch normalisation, whose figures are fixed at reading: no picture depends on its company."""

    def __init__(self, before: int, after: int, size: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.stride = stride[1]
        self.convolution = nn.Conv2d(before, after, size, stride, size // 2, bias=False)
        self.normalisation = nn.BatchNorm2d(after)
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, features: torch.Tensor, valid: Valid) -> tuple[torch.Tensor, Valid]:
        """Return normalised features, anything beyond the pictures, and how far these reach now."""
        return self.normalisation(self.convolution(features)), valid.halved(self.stride)


class Block(nn.Module):
    """Two convolutions and what goes around them."""

    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.first = Convolution(before, after, 3, stride)
        self.second = Convolution(after, after, 3, (1, 1))
        changes = before != after or stride != (1, 1)
        self.around = Convolution(before, after, 1, stride) if changes else None

    def forward(self, features: torch.Tensor, valid: Valid) -> tuple[torch.Tensor, Valid]:
        """Return features `(B, C, H', W')`, zero beyond the pictures, and how far these reach."""
        around = features if self.around is None else self.around(features, valid)[0]
        inner, valid = self.first(features, valid)
        inner, valid = self.second(valid.keep(inner.relu()), valid)
        return valid.keep((inner + around).relu()), valid
