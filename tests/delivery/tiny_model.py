"""A tiny recogniser that has learnt eight pictures by heart: what the delivery tests read, publish and serve."""

import cv2
import numpy as np

STEPS = 250
TEXTS = ["가나다라 마바사", "아자차카 타파하", "abc def ghi", "jkl mno", "pqr stu vwx", "yz 012", "3456789", "하나 둘"]


def make_model(folder, canvas_mode="line"):
    """Train a recogniser on pictures 0 to 7 until it reads them, and save it."""
    import torch

    from glyphline import plugins
    from glyphline.models.canvas import Canvas
    from glyphline.models.card import Card
    from glyphline.models.tokenizer import TokenizerSettings, train_tokenizer
    from glyphline.text import charset

    torch.manual_seed(1)
    family = plugins.load("family", "trocr")
    tokenizer = train_tokenizer(TEXTS, TokenizerSettings())
    canvas = Canvas("line", 32, 256, 64) if canvas_mode == "line" else Canvas("squash", 32, 128)
    sizes = {
        f"{part}_{what}": value for part in ("encoder", "decoder") for what, value in (("size", 64), ("layers", 1))
    }
    settings = family.Settings(**sizes, encoder_heads=2, decoder_heads=2, patch_height=32)
    card = Card("trocr", canvas, 12, charset(TEXTS), languages=["en", "ko"])
    card.metrics = {"stage1": {"eval_lines_cer": 0.125, "eval_lines_wer": 0.5, "eval_lines_loss": 1.5}}
    card.data = {"stage1": {"sources": [{"kind": "lines", "manifest": "ab" * 32, "lines": 1200}], "over_max_length": 3}}
    card.settings = {"stage1": {"seed": 1, "optimisation": {"learning_rate": 4e-4}, "steps_done": 50}}
    recogniser = family.build(settings, card, tokenizer).train()
    pictures = [recogniser.preprocessor.fit(line_picture(number)) for number in range(len(TEXTS))]
    encoded = recogniser.labels(TEXTS)
    optimiser = torch.optim.AdamW(recogniser.parameters(), lr=2e-3)
    for step in range(STEPS):
        # Every second step at full width, the way plain transformers pads: the model reads under either padding.
        pixels = recogniser.preprocessor.stack(pictures, canvas.width if step % 2 else None)
        loss = recogniser(pixel_values=pixels, **encoded).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    recogniser.eval().save_pretrained(folder)
    return folder


def line_picture(number, width=None):
    """A picture whose strokes depend on `number`, different widths unless one is given."""
    rng = np.random.default_rng(number)
    picture = np.full((40, width or int(rng.integers(200, 320))), 255, np.uint8)
    for _ in range(12):
        ends = rng.integers(0, picture.shape[1], 2), rng.integers(0, 40, 2)
        cv2.line(picture, (int(ends[0][0]), int(ends[1][0])), (int(ends[0][1]), int(ends[1][1])), 0, 2)
    return picture
