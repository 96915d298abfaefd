"""Our model and Tesseract on the held-out Korean lines that make.py makes: the same lines in the same run.

    python benchmarks/ko_lines/score.py runs/ko_lines [--model ko-tiny] [--limit N] [--output FILE.md]

A row for each cell and reader: CER, CER without spaces, WER and exact match with bootstrap 95 % intervals, lines a
second on all cores, and lines a second of processor time, which holds on a busy machine too. Pictures are decoded
before, models loaded before (Tesseract's once a process). Tesseract reads by `--psm 7 -l kor`. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from make import cells
from tesseract_lines import read_all

from glyphline.evaluation.metrics import count_errors, summarise
from glyphline.manifest import read_lines
from glyphline.records import Sample

MEASURES = ("cer", "cer_no_space", "wer", "exact")
RATES = ("lines_per_s", "lines_per_cpu_s")
Reader = Callable[[Sequence[np.ndarray]], list[str]]


def readers(model: str, modes: Sequence[str], threads: int) -> dict[str, Reader]:
    """Return what reads, by name: our modes, then Tesseract."""
    import torch

    from glyphline.models import load_recogniser

    torch.set_num_threads(threads)
    recogniser = load_recogniser(model, "cpu")

    def by(mode: str) -> Reader:
        return lambda images: [reading.text for reading in recogniser.read(images, mode)]

    ours = {mode: by(mode) for mode in (modes or ["auto", *recogniser.modes])}
    return ours | {"tesseract": lambda images: read_all(images, "kor", threads)}


def row(samples: Sequence[Sample], reader: Reader) -> dict[str, Any]:
    """Read all lines and return the figures: [value, low, high] of each measure, and lines a second."""
    images = [sample.image for sample in samples]
    reader(images[:2])
    started, before = time.monotonic(), sum(os.times()[:4])
    texts = reader(images)
    taken, worked = time.monotonic() - started, sum(os.times()[:4]) - before
    errors = [count_errors(sample.text, text) for sample, text in zip(samples, texts, strict=True)]
    measures = summarise(errors, resamples=1000)
    found = {name: [round(v, 4) for v in (m.value, m.low, m.high)] for name in MEASURES if (m := measures[name])}
    return found | {"lines_per_s": round(len(images) / taken, 1), "lines_per_cpu_s": round(len(images) / worked, 1)}


def shown(cell: str, reader: str, figures: dict[str, Any]) -> str:
    """Return a row of the table in Markdown."""
    said = [f"{100 * v:.1f} ({100 * low:.1f} to {100 * high:.1f})" for v, low, high in (figures[m] for m in MEASURES)]
    rates = [f"{figures[name]:.1f}" for name in RATES]
    return "| " + " | ".join([cell, reader, *said, *rates]) + " |"


def main() -> None:
    """Read every cell by every reader and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", help="folder that make.py has made")
    parser.add_argument("--model", default="ko-tiny", help="model folder or shipped model")
    parser.add_argument("--modes", nargs="*", default=[], help="ways of reading; all and auto where none is named")
    parser.add_argument("--limit", type=int, default=0, help="only so many lines of each cell, over all lengths")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores to read on")
    parser.add_argument("--output", help="file to write the table to, in Markdown")
    asked = parser.parse_args()
    recipe = yaml.safe_load((Path(__file__).parent / "recipe.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    rows = [
        "| cell | reader | CER % | CER without spaces % | WER % | exact % | lines/s | lines/CPU s |",
        "|" + " --- |" * 8,
    ]
    print("\n".join(rows), flush=True)
    reads = readers(asked.model, asked.modes, asked.threads)
    for cell, _, _ in cells(recipe):
        samples = list(read_lines(str(Path(asked.lines) / cell), "test"))
        samples = samples[:: max(1, len(samples) // asked.limit)] if asked.limit else samples
        found[cell] = {name: row(samples, reader) for name, reader in reads.items()}
        rows += [shown(cell, name, figures) for name, figures in found[cell].items()]
        print("\n".join(rows[-len(reads) :]), flush=True)
    if asked.output:
        Path(asked.output).write_text("\n".join(rows) + "\n", encoding="utf-8")
    ratios = {
        f"{rate}_{name}_to_tesseract": round(
            float(np.mean([f[name][rate] / f["tesseract"][rate] for f in found.values()])), 2
        )
        for name in reads
        for rate in RATES
        if name != "tesseract"
    }
    print(json.dumps({"model": asked.model, "cells": found, **ratios}))


if __name__ == "__main__":
    main()
