"""Tesseract on a folder of lines: the figure to compare a model with, on the same lines.

    python benchmarks/tesseract_lines.py LINES --language kor [--split test] [--output predictions.jsonl]

Every picture gets a margin of its own paper, which Tesseract wants, and is read by `tesseract --psm 7` in a process of
its own, on one thread. Prints CER, WER and exact match with bootstrap 95 % intervals, by font, and lines a second. The
file of predictions is what `glyphline score --against` takes. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from glyphline.evaluation.metrics import LineErrors, count_errors, summarise
from glyphline.images import encode, to_grey
from glyphline.manifest import read_lines

MARGIN_PX = 12


def read(image: np.ndarray, language: str) -> str:
    """Return what Tesseract reads in one picture."""
    grey = to_grey(image)
    padded = np.pad(grey, MARGIN_PX, constant_values=int(np.median(grey)))
    done = subprocess.run(
        ["tesseract", "stdin", "stdout", "--psm", "7", "-l", language],
        input=encode(padded), capture_output=True, check=True, env=os.environ | {"OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    return done.stdout.decode().strip()


def main() -> None:
    """Read all lines and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", help="folder made by render or prepare")
    parser.add_argument("--language", default="kor", help="tesseract's name of the language")
    parser.add_argument("--split", default="test")
    parser.add_argument("--output", help="file to write the predictions to")
    asked = parser.parse_args()
    samples = list(read_lines(asked.lines, asked.split))
    started = time.monotonic()
    texts = [read(sample.image, asked.language) for sample in samples]
    rate = len(samples) / (time.monotonic() - started)
    if asked.output:
        rows = [
            {"id": sample.id, "reference": sample.text, "prediction": text}
            for sample, text in zip(samples, texts, strict=True)
        ]
        Path(asked.output).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    by_font: dict[str, list[LineErrors]] = defaultdict(list)
    for sample, text in zip(samples, texts, strict=True):
        by_font[str(sample.provenance.get("font", ""))].append(count_errors(sample.text, text))
    whole = summarise([errors for rows in by_font.values() for errors in rows], resamples=1000)
    for font, rows in sorted(by_font.items()):
        print(f"{font[:48]:<50}{len(rows):>5} lines   CER {100 * summarise(rows)['cer'].value:5.1f} %")
    found = {}
    for name in ("cer", "wer", "exact"):
        found[name] = [round(value, 4) for value in (whole[name].value, whole[name].low, whole[name].high)]
        print(f"{name:<6}{100 * found[name][0]:6.2f} % ({100 * found[name][1]:.1f} to {100 * found[name][2]:.1f})")
    print(json.dumps({"lines": len(samples), "lines_per_s": round(rate, 2), **found}))


if __name__ == "__main__":
    main()
