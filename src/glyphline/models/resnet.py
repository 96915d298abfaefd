"""A ResNet (He et al., CVPR 2016) that keeps rows and columns fine enough for text: strides by the size of a cell.

Batch norms, as in the original: from random weights CTC learns ten times faster with them than with norms of each place
over its channels (words, same steps: 5 % of the characters wrong against 47 %). They move slowly (`MOMENTUM`), since a
batch holds pages of one size, and the next one of another.
"""

from __future__ import annotations

import torch
from torch import nn

KINDS: dict[str, tuple[str, tuple[int, ...], tuple[int, ...]]] = {
    "light": ("basic", (1, 1, 1, 1), (32, 48, 96, 128)),
    "resnet18": ("basic", (2, 2, 2, 2), (64, 128, 256, 512)),
    "resnet34": ("basic", (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet50": ("bottleneck", (3, 4, 6, 3), (256, 512, 1024, 2048)),
}
"""By name: kind of block, blocks of the four stages, channels that the stages give."""


MOMENTUM = 0.03


def convolution(channels: int, outputs: int, size: int, stride: tuple[int, int] = (1, 1)) -> nn.Sequential:
    """Return a convolution that keeps the place of things, and its norm."""
    layer = nn.Conv2d(channels, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs, momentum=MOMENTUM))


class Block(nn.Module):
    """A residual block: two 3x3 convolutions (basic), or 1x1, 3x3, 1x1 around a quarter of the channels."""

    def __init__(self, kind: str, channels: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        if kind == "basic":
            self.body = nn.Sequential(
                convolution(channels, outputs, 3, stride), nn.ReLU(), convolution(outputs, outputs, 3)
            )
        else:
            inner = outputs // 4
            self.body = nn.Sequential(
                convolution(channels, inner, 1), nn.ReLU(), convolution(inner, inner, 3, stride), nn.ReLU(),
                convolution(inner, outputs, 1),
            )  # fmt: skip
        plain = channels == outputs and stride == (1, 1)
        self.shortcut = nn.Identity() if plain else convolution(channels, outputs, 1, stride)

    def forward(self, grid: torch.Tensor) -> torch.Tensor:
        """Return `(B, C', H / stride, W / stride)`."""
        return torch.relu(self.body(grid) + self.shortcut(grid))


class ResNet(nn.Module):
    """Stem and four stages; cells of `cell` (height, width) pixels, each 4, 8, 16 or 32."""

    def __init__(self, name: str, cell: tuple[int, int], dropout: float = 0.0) -> None:
        super().__init__()
        kind, depths, widths = KINDS[name]
        first = widths[0] // 4 if kind == "bottleneck" else widths[0]
        self.stem = nn.Sequential(convolution(1, first, 7, (2, 2)), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        blocks: list[nn.Module] = []
        channels, reached = first, (4, 4)
        for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            stride = tuple(2 if stage and have < want else 1 for have, want in zip(reached, cell, strict=True))
            reached = (reached[0] * stride[0], reached[1] * stride[1])
            for number in range(depth):
                blocks.append(Block(kind, channels, width, stride if number == 0 else (1, 1)))
                channels = width
            if dropout:
                blocks.append(nn.Dropout2d(dropout))
        self.stages = nn.Sequential(*blocks)
        self.channels = channels
        _start(self)

    def forward(self, pages: torch.Tensor) -> torch.Tensor:
        """Return features `(B, C, H / cell height, W / cell width)` of grey pages `(B, 1, H, W)`, paper 0."""
        grid = self.stem(pages.contiguous(memory_format=torch.channels_last))
        return self.stages(grid)


def _start(network: nn.Module) -> None:
    """Start as residual networks do: convolutions at the scale of ReLU, every block's last norm small."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
    for part in network.modules():
        if isinstance(part, Block):
            nn.init.constant_(part.body[-1][1].weight, 0.2)
