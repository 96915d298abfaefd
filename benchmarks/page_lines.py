"""Error rates of a page model by the number of lines: on pages composed of texts that training never saw.

    python benchmarks/page_lines.py --model RUN --corpus CORPUS --fonts FOLDER... [--real LINES] [--tesseract eng]

For 1, 2, 3 … lines a page: CER over graphemes (line breaks count), WER, pages a second, by every way of reading, on the
same pages; with --tesseract the program's CER on them too (psm 6, a single block of text). --real adds a folder of real
pages made by `glyphline prepare`. The last line that it prints is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from glyphline.evaluation.scores import score_modes
from glyphline.images import encode
from glyphline.manifest import read_corpus, read_lines
from glyphline.models import load_recogniser
from glyphline.records import Reading, Sample
from glyphline.render.line import RenderedLines, load_recipe
from glyphline.render.pages import ComposedPages, PageSettings, wrapped
from glyphline.text import TextRules


class Tesseract:
    """The program behind the interface that scoring asks for."""

    rules, modes = TextRules(collapse_space="lines"), ("tesseract",)

    def __init__(self, language: str) -> None:
        self.language = language

    def read_modes(self, images: Sequence[np.ndarray], modes: Sequence[str]) -> dict[str, list[Reading]]:
        """Read pages one by one."""
        command = ["tesseract", "stdin", "stdout", "-l", self.language, "--psm", "6"]
        texts = [
            subprocess.run(command, input=encode(image), capture_output=True, check=True).stdout for image in images
        ]
        return {mode: [Reading(text.decode(), 1.0, mode) for text in texts] for mode in modes}


def pages_of(lines: int, asked: argparse.Namespace) -> list[Sample]:
    """Return pages of so many lines, of texts of the split that training does not see."""
    recipe = load_recipe("clean", {"height_px": asked.height_px, "fonts": {"folders": asked.fonts}})
    texts = wrapped(list(read_corpus(asked.corpus, asked.split)), asked.wrap)
    settings = PageSettings(least=lines, most=lines, margin=(0.1, 0.8))
    pages = ComposedPages(RenderedLines(texts, recipe, asked.seed), settings, asked.seed)
    made = (pages[index] for index in range(2 * asked.pages))
    return [page for page in made if isinstance(page, Sample)][: asked.pages]


def measure(reader: Any, pages: list[Sample]) -> dict[str, float]:  # noqa: ANN401
    """Return CER and WER by each way of reading, and pages a second of the first."""
    found: dict[str, float] = {}
    for number, mode in enumerate((*reader.modes, "auto") if len(reader.modes) > 1 else reader.modes):
        begun = time.perf_counter()
        score = score_modes(reader, pages, (mode,))[mode]
        if number == 0:
            found["pages/s"] = round(len(pages) / (time.perf_counter() - begun), 2)
        found |= {f"{mode} CER": round(score.cer, 4), f"{mode} WER": round(score.wer, 4)}
    return found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--fonts", nargs="+", default=[])
    parser.add_argument("--split", default="test")
    parser.add_argument("--lines", nargs="+", type=int, default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--pages", type=int, default=50, help="pages of each number of lines")
    parser.add_argument("--wrap", type=int, default=16)
    parser.add_argument("--height-px", type=int, default=24)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--real", nargs="*", default=[], help="folders of real pages")
    parser.add_argument("--tesseract", help="language, such as eng, to read the same pages with the program")
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    if asked.tesseract and not shutil.which("tesseract"):
        parser.error("--tesseract: the program is not installed")
    if asked.tesseract:
        known = subprocess.run(["tesseract", "--list-langs"], capture_output=True, check=True, text=True).stdout.split()
        if lacking := sorted(set(asked.tesseract.split("+")) - set(known)):
            parser.error(f"--tesseract: no data for {lacking[0]!r} is installed")
    readers: list[Any] = [load_recogniser(asked.model, asked.device)]
    readers += [Tesseract(asked.tesseract)] if asked.tesseract else []
    sets = {f"{lines} lines": pages_of(lines, asked) for lines in asked.lines}
    sets |= {folder: list(read_lines(folder, None)) for folder in asked.real}
    table: dict[str, dict[str, float]] = {}
    for name, pages in sets.items():
        table[name] = {"pages": len(pages)}
        for reader in readers:
            found = measure(reader, pages)
            table[name] |= found if reader is readers[0] else {k: v for k, v in found.items() if k != "pages/s"}
        print(f"{name:<24}" + "  ".join(f"{key} {value:g}" for key, value in table[name].items()), flush=True)
    print(json.dumps(table, ensure_ascii=False))


if __name__ == "__main__":
    main()
