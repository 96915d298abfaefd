"""A small folder of lines that any model can learn: bars whose widths spell the text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glyphline.images import encode
from glyphline.manifest import open_output, pack_lines
from glyphline.records import Sample

LETTERS = "가나다라마"


def bar_code(text: str, shade: int = 20) -> np.ndarray:
    image = np.full((32, 8 + 16 * len(text)), 250, np.uint8)
    for place, letter in enumerate(text):
        left = 6 + 16 * place
        top = 3 + 5 * LETTERS.index(letter)
        image[top : top + 5, left : left + 10] = shade
    return image


def texts(count: int, seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list(LETTERS), size=generator.integers(1, 7))) for _ in range(count)]


def write_lines(folder: Path, train: int = 40, validation: int = 10) -> str:
    output = open_output(str(folder), "lines", {"made": [train, validation]})
    names = []
    for split, count, seed in (("train", train, 1), ("validation", validation, 2)):
        rows = []
        for number, text in enumerate(texts(count, seed)):
            image = bar_code(text, 20 + number)
            rows.append((Sample(f"{split}-{number}", image, text, "ko", "bars", split, {}), encode(image)))
        names.append(f"data/{split}-00000-of-00001.parquet")
        output.commit(names[-1], pack_lines(rows), {split: count})
    output.finish(names)
    return str(folder)


CONFIG = """
model:
  canvas: {{height: 32, width: 128, width_step: 32}}
  max_length: 12
  options: {{encoder_size: 24, encoder_layers: 1, encoder_heads: 2, decoder_size: 24, decoder_layers: 1,
             decoder_heads: 2, dropout: 0.1}}
data:
  train: [{{lines: {lines}}}]
  validation: {{bars: {{lines: {lines}}}}}
optimisation: {{steps: 8, batch_size: 4, learning_rate: 0.002}}
control: {{evaluate_every: 4, log_every: 2, report_to: []}}
threads: 1
device: cpu
"""


def write_config(folder: Path, lines: str) -> str:
    path = folder / "train.yaml"
    path.write_text(CONFIG.format(lines=lines), encoding="utf-8")
    return str(path)
