"""The smallest recogniser that is whole: random weights, a tokenizer trained on a few lines."""

from __future__ import annotations

import numpy as np
import torch

from glyphline.models.canvas import Canvas
from glyphline.models.card import Card
from glyphline.models.families import trocr
from glyphline.models.tokenizer import TokenizerSettings, train_tokenizer
from glyphline.text import charset

TEXTS = ["안녕하세요 세계", "오늘 10.5% 올랐다", "le café est à 3€", "하하 ㅋㅋㅋ"]

SIZES = {
    "encoder_size": 32, "encoder_layers": 1, "encoder_heads": 2, "decoder_size": 32, "decoder_layers": 2,
    "decoder_heads": 2,
}  # fmt: skip


def tiny_recogniser(seed: int = 0, canvas: Canvas | None = None, **options) -> trocr.TrocrRecogniser:
    torch.manual_seed(seed)
    card = Card("trocr", canvas or Canvas("line", 32, 160, 32), 24, charset(TEXTS))
    tokenizer = train_tokenizer(TEXTS, TokenizerSettings("char"))
    model = trocr.build(trocr.Settings(**SIZES | options), card, tokenizer).eval()
    for parameter in model.parameters():  # spread the weights, so that readings differ from picture to picture
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.25)
    return model


def noise_pictures(widths=(40, 300, 120), seed: int = 0) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 256, (40, width), dtype=np.uint8) for width in widths]
