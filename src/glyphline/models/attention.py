"""Where the page model looks: its decoder's attention over the page, as numbers and as a picture."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import torch

from glyphline.images import to_grey


@torch.inference_mode()
def attention_over(recogniser: Any, image: np.ndarray) -> tuple[list[str], np.ndarray]:  # noqa: ANN401
    """Read a page by the decoder; return its tokens' texts and where each was seen, `(T, H, W)` float32 of the fitted
    page: the attention of the last layer, averaged over heads, that wrote the token, between 0 and 1."""
    recogniser.eval()
    fitted = recogniser.preprocessor.fit(image)
    states = recogniser.encode(recogniser.preprocessor.stack([fitted]).to(recogniser.device))
    ids = recogniser.decode_ids(states)[0]
    if not ids:
        return [], np.zeros((0, *fitted.shape[:2]), np.float32)
    inputs = torch.tensor([[recogniser.config.bos_token_id, *ids[:-1]]], device=states.device)
    weights = recogniser.decoder.attention(inputs, recogniser.memory(states))[-1, 0].mean(0)
    rows, columns = states.shape[1:3]
    options = recogniser.options
    grid = weights.unflatten(1, (rows, columns)).repeat_interleave(options.row_px, 1)
    maps = grid.repeat_interleave(options.column_px, 2)[:, : fitted.shape[0], : fitted.shape[1]]
    texts = [recogniser.tokenizer.decode([token]) for token in ids]
    return texts, maps.float().cpu().numpy()


def draw_attention(image: np.ndarray, texts: list[str], maps: np.ndarray) -> np.ndarray:
    """Return the page `(H, W, 3)` with each token's attention in a colour: from red for the first to violet for the
    last token of a line, so that the order of reading within lines shows, and what no token saw stays grey."""
    import cv2

    height, width = maps.shape[1:]
    page = cv2.resize(to_grey(image), (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    colours, strength = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 1), np.float32)
    for place, seen in zip(_places(texts), maps, strict=True):
        colour = np.array(colorsys.hsv_to_rgb(0.8 * place, 1.0, 1.0), np.float32)
        share = (seen / max(1e-9, float(seen.max())) * min(1.0, 4 * float(seen.max())))[:, :, None]
        colours += share * colour
        strength += share
    tint = 255 * colours / np.maximum(strength, 1e-6)
    share = np.minimum(0.6, strength)
    return np.rint(page[:, :, None] * (1 - share) + tint * share * page[:, :, None] / 255).astype(np.uint8)


def _places(texts: list[str]) -> list[float]:
    """Return where each token stands in its line, 0 to 1."""
    places: list[float] = []
    for line in "\0".join(texts).split("\n"):
        count = len([piece for piece in line.split("\0") if piece])
        places += [number / max(1, count - 1) for number in range(count)]
        places.append(1.0)  # the break
    return places[: len(texts)]
