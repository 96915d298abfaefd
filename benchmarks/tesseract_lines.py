"""Tesseract on a folder of lines: the figure to compare a model with, on the same lines.

    python benchmarks/tesseract_lines.py LINES --language kor [--split test] [--output predictions.jsonl]

Every picture gets a margin of its own paper, which Tesseract wants; `tesseract --psm 7` reads a list of pictures, so
that it loads its language once, in as many processes as there are cores, one thread each. Prints CER, WER and exact
match with bootstrap 95 % intervals, by font, and lines a second. The file of predictions is what `glyphline score
--against` takes. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from glyphline.evaluation.metrics import LineErrors, count_errors, summarise
from glyphline.images import encode, to_grey
from glyphline.manifest import read_lines

MARGIN_PX = 12


def read_all(images: Sequence[np.ndarray], language: str, processes: int = 0) -> list[str]:
    """Return what Tesseract reads in each picture."""
    processes = processes or len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
        names = [Path(folder, f"{number}.png") for number in range(len(images))]
        for name, image in zip(names, images, strict=True):
            grey = to_grey(image)
            name.write_bytes(encode(np.pad(grey, MARGIN_PX, constant_values=int(np.median(grey)))))
        # Every so many-th picture for each, as neighbours may be of like length.
        parts = [names[first::processes] for first in range(processes)]
        texts: list[str] = [""] * len(images)
        for first, read in enumerate(pool.map(lambda part: _read_list(part, language), parts)):
            texts[first::processes] = read
    return texts


def _read_list(names: Sequence[Path], language: str) -> list[str]:
    """Read pictures in one process of Tesseract, which puts a form feed between two."""
    if not names:
        return []
    done = subprocess.run(
        ["tesseract", "stdin", "stdout", "--psm", "7", "-l", language],
        input="".join(f"{name}\n" for name in names).encode(), capture_output=True, check=True,
        env=os.environ | {"OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    pages = done.stdout.decode().split("\f")
    if len(pages) != len(names):
        raise RuntimeError(f"tesseract answered {len(pages)} times for {len(names)} pictures")
    return [page.strip() for page in pages]


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
    texts = read_all([sample.image for sample in samples], asked.language)
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
