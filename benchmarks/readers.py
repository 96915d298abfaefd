"""Models and Tesseract side by side: the same lines in the same run.

    python benchmarks/readers.py LINES... [--models ko-tiny RUN...] [--modes ctc] [--tesseract kor] [--output FILE.md]

LINES are folders of lines, or folders of such folders (what ko_lines/make.py makes). A row for each folder, model and
way of reading: CER, CER without spaces, WER and exact match with bootstrap 95 % intervals, lines a second on all cores,
and lines a second of processor time, which holds on a busy machine too. Pictures are decoded before, models loaded
before (Tesseract's once a process). Tesseract reads by `--psm 7`. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tesseract_lines import read_all

from glyphline.evaluation.metrics import count_errors, summarise
from glyphline.manifest import read_lines
from glyphline.records import Sample

MEASURES = ("cer", "cer_no_space", "wer", "exact")
RATES = ("lines_per_s", "lines_per_cpu_s")
Reader = Callable[[Sequence[np.ndarray]], list[str]]


def readers(asked: argparse.Namespace) -> dict[str, Reader]:
    """Return what reads, by name: each model by its ways of reading, then Tesseract."""
    import torch

    from glyphline.models import load_recogniser

    torch.set_num_threads(asked.threads)

    def by(recogniser: Any, mode: str) -> Reader:  # noqa: ANN401
        return lambda images: [reading.text for reading in recogniser.read(images, mode)]

    found: dict[str, Reader] = {}
    last = [Path(name).name for name in asked.models]
    for name in asked.models:
        recogniser = load_recogniser(name, "cpu")
        shown = Path(name).name if last.count(Path(name).name) == 1 else name
        for mode in ["auto", *recogniser.modes]:
            if not asked.modes or mode in asked.modes:
                found[f"{shown} {mode}"] = by(recogniser, mode)
    if asked.tesseract:
        found["tesseract"] = lambda images: read_all(images, asked.tesseract, asked.threads)
    return found


def line_folders(places: Sequence[str]) -> dict[str, str]:
    """Return the folders of lines by name: those named, or those within."""
    found = {}
    for place in map(Path, places):
        inner = (
            [place] if (place / "manifest.json").exists() else sorted(p.parent for p in place.glob("*/manifest.json"))
        )
        found |= {folder.name: str(folder) for folder in inner}
    return found


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


def shown(lines: str, reader: str, figures: dict[str, Any]) -> str:
    """Return a row of the table in Markdown."""
    said = [f"{100 * v:.1f} ({100 * low:.1f} to {100 * high:.1f})" for v, low, high in (figures[m] for m in MEASURES)]
    rates = [f"{figures[name]:.1f}" for name in RATES]
    return "| " + " | ".join([lines, reader, *said, *rates]) + " |"


def main() -> None:
    """Read every folder by every reader and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", nargs="+", help="folders made by render or prepare, or folders of those")
    parser.add_argument("--models", nargs="*", default=["ko-tiny"], help="model folders or shipped models")
    parser.add_argument("--modes", nargs="*", default=[], help="ways of reading; all and auto where none is named")
    parser.add_argument("--tesseract", help="its name of the language, such as kor or deu+eng")
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=0, help="only so many lines of each folder, from all over it")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores to read on")
    parser.add_argument("--output", help="file to write the table to, in Markdown")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    rows = [
        "| lines | reader | CER % | CER without spaces % | WER % | exact % | lines/s | lines/CPU s |",
        "|" + " --- |" * 8,
    ]
    print("\n".join(rows), flush=True)
    reads = readers(asked)
    for name, folder in line_folders(asked.lines).items():
        samples = list(read_lines(folder, asked.split))
        samples = samples[:: max(1, len(samples) // asked.limit)] if asked.limit else samples
        found[name] = {reader: row(samples, read) for reader, read in reads.items()}
        rows += [shown(name, reader, figures) for reader, figures in found[name].items()]
        print("\n".join(rows[-len(reads) :]), flush=True)
    if asked.output:
        Path(asked.output).write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(json.dumps({"lines": found, **_ratios(found)}))


def _ratios(found: dict[str, Any]) -> dict[str, float]:
    """Return how many times Tesseract's lines a second each reader reads, averaged over the folders."""
    names = next(iter(found.values()), {})
    return {
        f"{rate}_{name}_to_tesseract": round(
            float(np.mean([figures[name][rate] / figures["tesseract"][rate] for figures in found.values()])), 2
        )
        for name in names
        for rate in RATES
        if name != "tesseract" and "tesseract" in names
    }


if __name__ == "__main__":
    main()
