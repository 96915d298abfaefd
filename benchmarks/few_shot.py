"""What stage 1 buys: a model learns from 50, 200, 1,000 and all real lines, from stage-1 weights and from random ones.

    python benchmarks/few_shot.py runs/fr/handwriting --start runs/latin/stage1 --output runs/few_shot [--steps 600]

Every cell has the same model, characters, steps, batches, learning rate, augmentation, validation and test lines;
smaller training sets are parts of larger ones. The random model is a twin of the stage-1 model, its weights drawn anew.
A cell that is done is not done again, one that was interrupted goes on. Writes few_shot.md and few_shot.png: CER on the
test split with bootstrap intervals over groups (writers, pages), beside the stage-1 model without any real line, and
Tesseract where `--tesseract LANGUAGE` names its language pack. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from glyphline.evaluation.metrics import count_errors, summarise
from glyphline.evaluation.run import main as score
from glyphline.evaluation.scores import group_of
from glyphline.images import encode
from glyphline.manifest import open_output, pack_lines, read_lines, read_manifest
from glyphline.records import SPLITS
from glyphline.seeds import share
from glyphline.training.run import main as train

Figure = list[float]


def subset(lines: str, size: int, folder: Path, seed: int) -> tuple[str, int]:
    """Write the lines with so many of the training lines (0: all) and return the folder and their number."""
    known = read_manifest(lines, "lines")
    output = open_output(str(folder), "lines", {"size": size, "seed": seed}, {"lines": known.hash})
    if not output.finished:
        samples = {split: list(read_lines(lines, split)) for split in SPLITS}
        ranked = sorted(samples["train"], key=lambda sample: share(seed, "few shot", sample.id))
        samples["train"] = ranked[:size] if size else ranked
        for split, chosen in samples.items():
            rows = [(sample, encode(sample.image)) for sample in chosen]
            output.commit(f"data/{split}.parquet", pack_lines(rows), {"lines": len(rows), split: len(rows)})
        output.finish([f"data/{split}.parquet" for split in SPLITS])
    return str(folder), read_manifest(str(folder), "lines").counts["train"]


def twin(start: str, lines: str, folder: Path, seed: int) -> tuple[str, str]:
    """Save the start model, and a twin with random weights, with room for all characters of the train split."""
    from transformers import set_seed

    from glyphline import plugins
    from glyphline.models import load_recogniser
    from glyphline.models.card import Card
    from glyphline.text import charset

    places = folder / "start", folder / "random"
    if not all((place / "glyphline.json").exists() for place in places):
        set_seed(seed)
        model = load_recogniser(start, "cpu")
        model.grow(model.lacks(charset(sample.text for sample in read_lines(lines, "train"))))
        card = model.card
        family = plugins.load("family", card.family)
        fresh = Card(card.family, card.canvas, card.max_length, card.charset, card.rules, card.languages)
        family.build(family.Settings(**card.options), fresh, model.tokenizer).save_pretrained(places[1])
        model.save_pretrained(places[0])
    return str(places[0]), str(places[1])


def cell(start: str, lines: str, folder: Path, asked: argparse.Namespace) -> Figure:
    """Train and score one cell; returns CER and its interval."""
    config = {
        "model": {"start": start},
        "data": {
            "train": [{"lines": lines, "augment": asked.augment, "compose": asked.compose}],
            "validation": {"lines": {"lines": lines, "limit": 150}},
        },
        "optimisation": {
            "optimiser": asked.optimiser,
            "steps": asked.steps,
            "batch_size": asked.batch_size,
            "learning_rate": asked.learning_rate,
            "warmup": 0.1,
        },
        "control": {"evaluate_every": max(1, asked.steps // 4), "report_to": []},
        "threads": asked.threads,
        "seed": asked.seed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    if train(["--config", str(folder / "train.yaml"), "--output", str(folder / "run"), "--resume"]):
        raise SystemExit(f"{folder}: training did not finish; the same command goes on")
    return scored(str(folder / "run"), lines, folder / "score")


def scored(model: str, lines: str, folder: Path) -> Figure:
    """Score a model on the test split by its first mode; returns CER and its interval."""
    options = ["--model", model, "--lines", lines, "--split", "test", "--output", str(folder), "--resample", "group"]
    if score(options):
        raise SystemExit(1)
    modes = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["modes"]
    cer = next(iter(modes.values()))["overall"]["cer"]
    return [round(cer[key], 4) for key in ("value", "low", "high")]


def tesseract(lines: str, language: str) -> Figure:
    """Return CER and interval of Tesseract on the test split."""
    sys.path.insert(0, str(Path(__file__).parent))
    from tesseract_lines import read_all

    samples = list(read_lines(lines, "test"))
    texts = read_all([sample.image for sample in samples], language)
    errors = [count_errors(sample.text, text) for sample, text in zip(samples, texts, strict=True)]
    cer = summarise(errors, groups=[group_of(sample) for sample in samples], resamples=1000)["cer"]
    return [round(value, 4) for value in (cer.value, cer.low, cer.high)]


def plot(found: dict[str, Any], file: Path) -> None:
    """Draw both curves with their intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.2), dpi=110)
    for kind, label in (("start", "from stage-1 weights"), ("random", "from random weights")):
        rows = [row for row in found["cells"] if kind in row]
        middle = [100 * row[kind][0] for row in rows]
        spread = [[100 * abs(row[kind][0] - row[kind][side]) for row in rows] for side in (1, 2)]
        axes.errorbar([row["lines"] for row in rows], middle, yerr=spread, marker="o", capsize=3, label=label)
    for name, style in (("without real lines", ":"), ("tesseract", "--")):
        if name in found:
            axes.axhline(100 * found[name][0], linestyle=style, color="grey", label=name)
    axes.set(xscale="log", xlabel="real training lines", ylabel="CER on test lines, %", ylim=(0, None))
    axes.set_xticks([row["lines"] for row in found["cells"]], [f"{row['lines']:,}" for row in found["cells"]])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def table(found: dict[str, Any]) -> str:
    """Return the figures as a table in Markdown."""

    def said(figure: Figure) -> str:
        return f"{100 * figure[0]:.1f} % ({100 * figure[1]:.1f} to {100 * figure[2]:.1f})"

    rows = ["| real lines | from stage-1 weights | from random weights |", "| --- | --- | --- |"]
    if "without real lines" in found:
        rows.append(f"| 0 | {said(found['without real lines'])} | |")
    for row in found["cells"]:
        cells = [said(row[kind]) if kind in row else "" for kind in ("start", "random")]
        rows.append(f"| {row['lines']:,} | {cells[0]} | {cells[1]} |")
    if "tesseract" in found:
        rows.append(f"\nTesseract on the same lines: {said(found['tesseract'])}")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Fill all cells, smallest first, and write table and plot anew after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", help="folder that prepare has made")
    parser.add_argument("--start", required=True, help="stage-1 model")
    parser.add_argument("--output", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 1000, 0], help="training lines; 0 for all")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--optimiser", default="muon", help="of all cells alike")
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--augment", default="augment", help="preset that alters real lines afresh each time")
    parser.add_argument("--compose", type=float, default=0.3, help="share of lines composed of words of several")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tesseract", default="", help="language pack of Tesseract to read the test lines with")
    asked = parser.parse_args()
    output = Path(asked.output)
    models = twin(asked.start, asked.lines, output / "models", asked.seed)
    found: dict[str, Any] = {"steps": asked.steps, "cells": []}
    found["without real lines"] = scored(models[0], asked.lines, output / "zero")
    if asked.tesseract:
        found["tesseract"] = tesseract(asked.lines, asked.tesseract)
    for size in asked.sizes:
        lines, count = subset(asked.lines, size, output / f"lines-{size}", asked.seed)
        row: dict[str, Any] = {"lines": count}
        found["cells"].append(row)
        for kind, model in zip(("start", "random"), models, strict=True):
            row[kind] = cell(model, lines, output / f"{kind}-{size}", asked)
            (output / "few_shot.md").write_text(table(found), encoding="utf-8")
            plot(found, output / "few_shot.png")
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
