"""The one preprocessing of the project: a line image of any size onto the model's canvas.

Training, scoring and reading call the same object, which is saved with the model as a stock transformers image
processor: `line` as DETR's (fit into height x width, aspect kept, padded at right and bottom), `squash` as ViT's.
Plain `TrOCRProcessor.from_pretrained(folder)` therefore makes the same pixels, without code of ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from glyphline.images import dark_on_light
from glyphline.settings import InputError

PAPER = 255


@dataclass(frozen=True)
class Canvas:
    """What a model sees. With `line` and `page`, white is exactly 0 after normalisation, so padding is paper."""

    mode: Literal["line", "squash", "page"] = "line"
    """`line`: height fixed, aspect kept, white on the right; `squash`: stretched to height x width; `page`: scaled down
    where it is larger, never up, white on the right and below."""
    height: int = 32
    """Pixels; a multiple of the patch height."""
    width: int = 640
    """Pixels, the widest line; a wider one is scaled down until it fits. A multiple of the patch width."""
    width_step: int = 64
    """Batches are padded to the next multiple of this, not to the full width. Not for `squash`."""
    height_step: int = 32
    """Batches are padded to the next multiple of this, not to the full height. Only for `page`."""

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        if self.height < 8 or self.width < 8 or min(self.width_step, self.height_step) < 1:
            raise InputError(f"canvas {self.height}x{self.width}, width_step {self.width_step}: too small")

    @property
    def mean(self) -> float:
        """Value that is 0 after normalisation, of pixels in 0..1."""
        return 0.5 if self.mode == "squash" else 1.0

    @property
    def deviation(self) -> float:
        """Divisor of the normalisation, of pixels in 0..1."""
        return 0.5


class Preprocessor:
    """Fits pictures onto a canvas. Picklable; holds nothing but the canvas."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def fitted_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) in pixels that a picture of that size has on the canvas, without padding."""
        canvas = self.canvas
        if canvas.mode == "squash":
            return canvas.height, canvas.width
        scale = min(canvas.height / height, canvas.width / width, 1.0 if canvas.mode == "page" else math.inf)
        return max(1, int(height * scale)), max(1, int(width * scale))

    def fit(self, image: np.ndarray) -> np.ndarray:
        """Resize uint8 `(H, W)` or `(H, W, 3)` to its fitted size (bilinear, antialiased), not yet padded.

        Light writing on dark paper becomes its negative, which plain transformers does not do.
        """
        from PIL import Image

        if image.ndim not in (2, 3) or 0 in image.shape:
            raise InputError(f"a picture of shape {image.shape} holds nothing to read")
        image = dark_on_light(image)
        height, width = self.fitted_size(*image.shape[:2])
        if image.shape[:2] == (height, width):
            return image
        return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))

    def padded_width(self, width: int) -> int:
        """Return the batch width in pixels for a fitted width: the next step, at most the canvas."""
        canvas = self.canvas
        if canvas.mode == "squash":
            return canvas.width
        return min(canvas.width, math.ceil(width / canvas.width_step) * canvas.width_step)

    def padded_height(self, height: int) -> int:
        """Return the batch height in pixels for a fitted height: the canvas', but for pages the next step."""
        canvas = self.canvas
        if canvas.mode != "page":
            return canvas.height
        return min(canvas.height, math.ceil(height / canvas.height_step) * canvas.height_step)

    def stack(self, fitted: Sequence[np.ndarray], width: int | None = None) -> Any:  # noqa: ANN401
        """Lay fitted pictures on white: a uint8 tensor `(B, C, H, W)`, C 1 where all are grey, else 3.

        `width` is the batch width in pixels; the smallest step that holds the widest picture where it is None.
        """
        import torch

        tall = self.padded_height(max(picture.shape[0] for picture in fitted))

        width = width or self.padded_width(max(picture.shape[1] for picture in fitted))
        channels = 3 if any(picture.ndim == 3 for picture in fitted) else 1
        batch = np.full((len(fitted), channels, tall, width), PAPER, np.uint8)
        for row, picture in zip(batch, fitted, strict=True):
            height, wide = picture.shape[:2]
            row[:, :height, :wide] = picture if picture.ndim == 2 else picture.transpose(2, 0, 1)
        return torch.from_numpy(batch)

    def normalise(self, batch: Any, dtype: Any = None) -> Any:  # noqa: ANN401
        """Turn uint8 `(B, C, H, W)` into the model's floats `(B, 3, H, W)`, on the device where it is."""
        import torch

        values = (batch.to(torch.float32) / 255.0 - self.canvas.mean) / self.canvas.deviation
        return values.to(dtype or torch.float32).expand(-1, 3, -1, -1)

    def image_processor(self) -> Any:  # noqa: ANN401
        """Return the stock transformers image processor that does the same at full width."""
        canvas = self.canvas
        if canvas.mode == "page":
            raise InputError("canvas page: no stock image processor does the same")
        common = {"image_mean": [canvas.mean] * 3, "image_std": [canvas.deviation] * 3, "resample": 2}
        if canvas.mode == "squash":
            from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

            return ViTImageProcessorPil(size={"height": canvas.height, "width": canvas.width}, **common)
        from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil

        return DetrImageProcessorPil(
            size={"max_height": canvas.height, "max_width": canvas.width},
            pad_size={"height": canvas.height, "width": canvas.width},
            do_pad=True,
            **common,
        )


def canvas_of(processor: Any) -> Canvas:  # noqa: ANN401
    """Return the canvas of a stock image processor, for checkpoints that carry no glyphline.json."""
    size = dict(processor.size)
    if size.get("max_height"):
        return Canvas("line", int(size["max_height"]), int(size["max_width"]))
    height = int(size.get("height") or size.get("shortest_edge") or 384)
    mean = list(processor.image_mean or [0.5])
    if any(abs(value - 0.5) > 1e-6 for value in mean):
        raise InputError(f"image processor with mean {mean}: only 0.5 is read; convert the checkpoint first")
    return Canvas("squash", height, int(size.get("width") or height))
