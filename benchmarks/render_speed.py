"""Rendering speed: this renderer against TextRecognitionDataGenerator 1.8.0, same lines, same fonts, same height.

    python benchmarks/render_speed.py --texts ko.nsmc.txt.xz --fonts FOLDER... [--count 2000] [--rounds 5]

Every contender renders its lines once a round, the rounds interleaved; of each line the fastest round counts, so that
other work on the machine disturbs the figures little; the processor time of whole rounds is given beside it. The first
round, in which the glyph cache fills, is given apart.
Prints a table, and one JSON object as its last line.
"""

from __future__ import annotations

import argparse
import json
import lzma
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from glyphline.images import encode
from glyphline.records import Drop, TextLine
from glyphline.render.fonts import catalogue
from glyphline.render.line import RenderedLines, load_recipe
from glyphline.text import normalise

HEIGHT_PX = 64
QUALITY = 75
"""What Pillow, and so TRDG, writes JPEG with."""
PICTURE = Path(f"/dev/shm/glyphline-bench-{os.getpid()}.jpg")
"""One file in memory, written again and again."""


def read_texts(path: str, count: int) -> list[TextLine]:
    """Return `count` lines spread evenly over a text file: all lengths as they come."""
    opened = lzma.open if path.endswith(".xz") else open
    with opened(path, "rt", encoding="utf-8") as handle:
        lines = [line for line in map(normalise, handle.read().split("\n")) if line]
    step = max(1, len(lines) // count)
    return [TextLine(str(n), text, "ko", "benchmark", "train") for n, text in enumerate(lines[::step][:count])]


def lines_of(texts: list[TextLine], fonts: list[str], preset: str, engine: str = "native") -> RenderedLines:
    """Return the lines of a contender, all of them with the same fonts and height."""
    above = {"engine": engine, "height_px": HEIGHT_PX, "fonts": {"folders": fonts}}
    return RenderedLines(texts, load_recipe(preset, above), seed=1)


def to_array(lines: RenderedLines, index: int) -> bool:
    """Render a line; tell whether there is one."""
    return not isinstance(lines[index], Drop)


def to_jpeg(lines: RenderedLines, index: int) -> bool:
    """Render a line and write it as JPEG, as TRDG's users do."""
    sample = lines[index]
    if isinstance(sample, Drop):
        return False
    with PICTURE.open("wb", buffering=0) as file:
        file.write(encode(sample.image, "jpeg", QUALITY))
    return True


def times(work: Callable[[RenderedLines, int], bool], lines: RenderedLines, indices: range) -> list[float]:
    """Return the seconds that each line took; a line that was dropped took none and counts for none (infinity)."""
    found = []
    for index in indices:
        begun = time.perf_counter()
        made = work(lines, index)
        found.append(time.perf_counter() - begun if made else float("inf"))
    return found


def rate(seconds: list[float]) -> float:
    """Return lines a second."""
    made = [value for value in seconds if value < float("inf")]
    return len(made) / sum(made)


def _half(texts: list, fonts: list[str], indices: range, start: object, rates: object) -> None:
    import cv2

    cv2.setNumThreads(1)
    lines = lines_of(texts, fonts, "trdg")
    times(to_array, lines, indices)
    start.wait()
    rates.put(rate(times(to_array, lines, indices)))


def scaling(texts: list[TextLine], fonts: list[str], count: int) -> float:
    """Return the summed rate of two processes over the rate of one."""
    context = multiprocessing.get_context("spawn")
    totals = {}
    for processes in (1, 2, 1, 2):
        start, rates = context.Barrier(processes), context.Queue()
        parts = [range(n * count, (n + 1) * count) for n in range(processes)]
        workers = [context.Process(target=_half, args=(texts, fonts, part, start, rates)) for part in parts]
        for worker in workers:
            worker.start()
        total = sum(rates.get() for _ in workers)
        totals[processes] = max(totals.get(processes, 0.0), total)
        for worker in workers:
            worker.join()
    return totals[2] / totals[1]


def _memory(texts: list, fonts: list[str], count: int, results: object) -> None:
    lines = lines_of(texts, fonts, "mixed")
    for index in range(count):
        lines[index]
    families = {choice.face.family for choice in catalogue(lines.recipe.fonts).pool("ko", "train").choices}
    faces = len(catalogue(lines.recipe.fonts).pool("ko", "train").choices)
    results.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, faces, len(families)))


def memory(texts: list[TextLine], fonts: list[str], count: int) -> tuple[float, int, int]:
    """Return a worker's largest resident memory in MB, and how many Hangul faces and families it drew from."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    worker = context.Process(target=_memory, args=(texts, fonts, count, results))
    worker.start()
    answer = results.get()
    worker.join()
    return answer


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True, help="UTF-8 text file, one text a line; .xz is opened")
    parser.add_argument("--fonts", nargs="+", required=True, help="font folders")
    parser.add_argument("--memory_fonts", nargs="+", default=[], help="font folders of the memory figure")
    parser.add_argument("--count", type=int, default=2000, help="lines a round; a tenth of them for TRDG")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    import cv2

    cv2.setNumThreads(1)
    texts = read_texts(options.texts, 20_000)
    few = max(20, options.count // 10)
    contenders = {
        "TRDG 1.8.0, arrays": (to_array, lines_of(texts, options.fonts, "trdg", "trdg"), few),
        "TRDG 1.8.0, JPEG files": (to_jpeg, lines_of(texts, options.fonts, "trdg", "trdg"), few),
        "native trdg, JPEG files": (to_jpeg, lines_of(texts, options.fonts, "trdg"), options.count),
        "native trdg, arrays": (to_array, lines_of(texts, options.fonts, "trdg"), options.count),
        "native mixed, arrays": (to_array, lines_of(texts, options.fonts, "mixed"), options.count),
    }
    best: dict[str, list[float]] = {}
    spent: dict[str, float] = {}
    report: dict = {"mean_characters": round(statistics.mean(len(line.text) for line in texts), 1)}
    report |= {"lines_per_s": {}, "first_round_lines_per_s": {}, "ratio": {}, "cpu_ratio": {}}
    for turn in range(options.rounds + 1):
        for name, (work, lines, count) in contenders.items():
            begun = time.process_time()
            found = times(work, lines, range(count))
            made = sum(value < float("inf") for value in found)
            spent[name] = min(spent.get(name, float("inf")), (time.process_time() - begun) / made)
            if turn == 0:
                report["first_round_lines_per_s"][name] = round(rate(found))
            best[name] = found if name not in best else list(map(min, best[name], found))
    base = rate(best["TRDG 1.8.0, arrays"])
    print(f"{'one process':26}{'lines/s':>10}{'x TRDG':>9}{'x by processor time':>21}{'first round':>13}")
    for name, found in best.items():
        report["lines_per_s"][name], report["ratio"][name] = round(rate(found)), round(rate(found) / base, 1)
        by_cpu = report["cpu_ratio"][name] = round(spent["TRDG 1.8.0, arrays"] / spent[name], 1)
        first = report["first_round_lines_per_s"][name]
        print(f"{name:26}{rate(found):10.0f}{rate(found) / base:9.1f}{by_cpu:21.1f}{first:13d}")
    report["scaling_1_to_2"] = round(scaling(texts, options.fonts, options.count * 2), 2)
    print(f"1 -> 2 processes: x {report['scaling_1_to_2']}")
    used, faces, families = memory(texts, options.memory_fonts or options.fonts, 6000)
    report |= {"memory_mb": round(used), "hangul_faces": faces, "hangul_families": families}
    print(f"memory of a worker after 6,000 mixed lines: {used:.0f} MB with {faces} Hangul faces of {families} families")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
