"""The main job on the data that the project carries: text -> lines -> stage 1 -> stage 2 -> scores -> a model folder.

`make demo` runs it from the root of a checkout. Every step is a glyphline command, printed as it is run; a step that
was finished before is not done again, and an interrupted one goes on. Everything lands in runs/demo.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

OUT = "runs/demo"
MODES = '["auto", "ctc", "beam", "decoder"]'

STEPS = [
    ("Running text becomes a corpus of short lines, Korean and French",
     f"collect --config configs/corpus/demo.yaml --output {OUT}/corpus"),
    ("Lines that training never sees are rendered, to validate on",
     f"render --config configs/render/demo.yaml --split validation --count 150 --output {OUT}/validation"),
    ("and others to test on",
     f"render --config configs/render/demo.yaml --split test --count 400 --output {OUT}/lines"),
    ("Real French handwriting is divided by text and checked",
     f"prepare --config configs/handwriting/demo_fr.yaml --output {OUT}/handwriting"),
    ("Doctor: can this configuration learn?",
     "doctor --config configs/train/stage1_demo.yaml --overfit_steps 0"),
    ("Stage 1: from random weights, on lines rendered on the fly",
     f"train --config configs/train/stage1_demo.yaml --output {OUT}/stage1 --resume true"),
    ("Stage 2: on handwriting, from stage 1",
     f"train --config configs/train/stage2_demo.yaml --output {OUT}/stage2 --resume true"),
]  # fmt: skip

SETS = {"lines": "rendered lines (held-back texts)", "handwriting": "handwriting (held-back texts)"}
STAGES = {"stage1": "after stage 1", "stage2": "after stage 2"}


def glyphline(arguments: str) -> None:
    """Print and run one command; stop where it fails."""
    print(f"$ glyphline {arguments}", flush=True)
    status = subprocess.run([sys.executable, "-m", "glyphline", *shlex.split(arguments)], check=False).returncode
    if status:
        sys.exit(status)


def score(stage: str, lines: str) -> dict:
    """Score one stage's model on one test set and return its metrics."""
    output = f"{OUT}/scores/{stage}_{lines}"
    glyphline(f"score --model {OUT}/{stage} --lines {OUT}/{lines} --output {output} --modes '{MODES}'")
    return json.loads(Path(output, "metrics.json").read_text(encoding="utf-8"))


def figure(measure: dict) -> str:
    """Return a rate with its interval in per cent."""
    return f"{100 * measure['value']:.1f} % ({100 * measure['low']:.1f} to {100 * measure['high']:.1f})"


def table(metrics: dict[tuple[str, str], dict]) -> str:
    """Return CER and WER of both stages on both test sets."""
    rows = [f"{'test set':<36}{'model':<16}{'reading':<10}{'CER':<26}{'WER':<26}exact"]
    for (lines, stage), result in metrics.items():
        for mode, found in result["modes"].items():
            whole = found["overall"]
            rows.append(
                f"{SETS[lines]:<36}{STAGES[stage]:<16}{mode:<10}{figure(whole['cer']):<26}{figure(whole['wer']):<26}"
                f"{100 * whole['exact']['value']:.1f} %"
            )
    return "\n".join(rows)


def main() -> None:
    """Run the steps, score both stages on both test sets, and say where everything is."""
    started = time.monotonic()
    for number, (title, arguments) in enumerate(STEPS, start=1):
        print(f"\n[{number}/{len(STEPS) + 2}] {title}", flush=True)
        glyphline(arguments)
    print(f"\n[{len(STEPS) + 1}/{len(STEPS) + 2}] Scores on lines whose texts neither stage has seen", flush=True)
    metrics = {(lines, stage): score(stage, lines) for lines in SETS for stage in STAGES}
    print(f"\n[{len(STEPS) + 2}/{len(STEPS) + 2}] A folder that plain transformers opens, with its card", flush=True)
    scores = json.dumps([f"{OUT}/scores/stage2_{lines}/metrics.json" for lines in SETS])
    glyphline(f"publish --model {OUT}/stage2 --output {OUT}/published --license cc-by-sa-4.0 --scores '{scores}'")
    picture = sorted(Path("demo/handwriting/lines").iterdir())[0]
    print(f"\n{table(metrics)}\n")
    print(f"rendered lines to look at   {OUT}/lines/contact_sheet.png")
    print(f"handwriting to look at      {OUT}/handwriting/contact_sheet.png")
    print(f"curves of stage 1           {OUT}/stage1/curves.png")
    print(f"report, worst lines first   {OUT}/scores/stage2_handwriting/report.html")
    print(f"model folder                {OUT}/published")
    print(f"\nfinished in {(time.monotonic() - started) / 60:.1f} minutes; now read a picture of your own:")
    print(f"  .venv/bin/python inference.py --weights {OUT}/published --image {picture}")


if __name__ == "__main__":
    main()
