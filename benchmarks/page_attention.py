"""Where a page model looks while it reads: a picture.

    python benchmarks/page_attention.py --model RUN page.png --output attention.png

Every token's attention is laid over the page in a colour that runs from red at the beginning of a line to violet at
its end. A model that reads shows one rainbow a line; one that has learnt its texts by heart shows a fog. Prints the
reading; the last line is JSON: per token, the share of the attention that lies within one line's height of its centre.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from glyphline.images import encode, load
from glyphline.models import load_recogniser
from glyphline.models.attention import attention_over, draw_attention


def focus(maps: np.ndarray, near_px: int) -> float:
    """Return the mean share of attention within `near_px` of the place that is looked at most."""
    shares = []
    for seen in maps:
        row, column = np.unravel_index(int(seen.argmax()), seen.shape)
        part = seen[max(0, row - near_px) : row + near_px + 1, max(0, column - near_px) : column + near_px + 1]
        shares.append(float(part.sum() / max(1e-9, seen.sum())))
    return float(np.mean(shares)) if shares else 0.0


def main() -> None:
    """Read one page and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", default="attention.png")
    parser.add_argument("--near-px", type=int, default=24)
    asked = parser.parse_args()
    recogniser, image = load_recogniser(asked.model, "cpu"), load(asked.image)
    texts, maps = attention_over(recogniser, image)
    Path(asked.output).write_bytes(encode(draw_attention(image, texts, maps)))
    print("".join(texts))
    print(json.dumps({"tokens": len(texts), "focus": round(focus(maps, asked.near_px), 3)}))


if __name__ == "__main__":
    main()
