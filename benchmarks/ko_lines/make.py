"""Held-out Korean lines, made anew anywhere and proven to be the same.

    python benchmarks/ko_lines/make.py --data TEXTS --fonts FONTS… --output runs/ko_lines [--corpus runs/ko/corpus]

`--data` holds the text files that recipe.yaml names, `--fonts` the font files or folders. The corpus is collected (8
minutes; or taken from `--corpus`, where the same command made it before), 500 of its test texts are chosen, and proven
to be none of its training texts; each cell, a group of fonts in a preset, is a folder of lines. What differs from
hashes.json is named and ends with status 1; `--record` writes hashes.json anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from glyphline.corpus.collect import main as collect
from glyphline.manifest import read_corpus, read_manifest
from glyphline.records import TextLine
from glyphline.render.fonts import Pool, catalogue, lacking
from glyphline.render.job import RenderSettings, render
from glyphline.render.recipe import FontSettings
from glyphline.seeds import share
from glyphline.text import count_graphemes

HERE = Path(__file__).parent
HASHES = HERE / "hashes.json"


def cells(recipe: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name of each cell, its preset and its font families."""
    for preset in recipe["presets"]:
        for group, families in recipe["fonts"].items():
            yield f"{group}-{preset}", preset, families


def corpus_of(recipe: dict[str, Any], data: str, folder: str) -> str:
    """Collect the corpus into the folder, unless it is there already, and return the folder."""
    if (Path(folder) / "manifest.json").exists():
        return folder
    options = [f"--sources.{label}.path={Path(data) / name}" for label, name in recipe["files"].items()]
    config = HERE.parents[1] / recipe["corpus"]
    if collect(["--config", str(config), *options, "--output", folder]):
        raise SystemExit(1)
    return folder


def choose(recipe: dict[str, Any], lines: list[TextLine], pools: list[Pool]) -> list[str]:
    """Return so many texts of each band of length, by a hash of the text, that every group of fonts can write."""
    bands = {tuple(band): [] for band in recipe["bands"]}
    known = [line for line in lines if line.source in recipe["sources"]]
    for line in sorted(known, key=lambda line: share(recipe["seed"], "ko_lines", line.text)):
        length = count_graphemes(line.text)
        band = next(band for band in bands if band[0] <= length <= band[1])
        if len(bands[band]) < recipe["texts_of_a_band"] and all(_writable(line.text, pool) for pool in pools):
            bands[band].append(line.text)
    return [text for chosen in bands.values() for text in chosen]


def _writable(text: str, pool: Pool) -> bool:
    return any(not lacking(set(text), chars) for chars in pool.chars)


def prove(texts: list[str], corpus: str) -> int:
    """Return the number of training texts, none of which is among `texts`. SystemExit where one is."""
    train = {line.text for line in read_corpus(corpus, "train")}
    if shared := train.intersection(texts):
        raise SystemExit(f"{len(shared)} test texts are training texts, such as {sorted(shared)[0]!r}")
    return len(train)


def make(recipe: dict[str, Any], asked: argparse.Namespace) -> dict[str, Any]:
    """Make texts and cells, and return their hashes."""
    output = Path(asked.output)
    corpus = corpus_of(recipe, asked.data, asked.corpus or str(output / "corpus"))
    families = recipe["fonts"].values()
    pools = [catalogue(FontSettings(folders=asked.fonts, families=names)).pool("ko", "test") for names in families]
    texts = choose(recipe, list(read_corpus(corpus, "test")), pools)
    train = prove(texts, corpus)
    print(f"{len(texts)} texts of the test split; none of them is among the {train:,} training texts")
    file = output / "texts.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    found: dict[str, Any] = {"corpus": read_manifest(corpus, "corpus").hash}
    found["texts"] = hashlib.sha256(file.read_bytes()).hexdigest()
    for name, preset, names in cells(recipe):
        settings = RenderSettings(
            corpus=str(file), output=str(output / name), language="ko", split="test", order="given",
            count=len(texts), seed=recipe["seed"], preset=preset, height_px=recipe["height_px"], fonts=asked.fonts,
            recipe={"fonts": {"families": names}}, workers=asked.workers,
        )  # fmt: skip
        made = render(settings)
        if made.drops:
            raise SystemExit(f"{name}: lines were dropped: {made.drops}")
        found[name] = made.hash
    return found


def main() -> int:
    """Make everything and compare it with what was recorded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the text files")
    parser.add_argument("--fonts", required=True, nargs="+", help="font files or folders")
    parser.add_argument("--output", required=True, help="folder for texts and cells")
    parser.add_argument("--corpus", default="", help="corpus made before by the same configuration")
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    parser.add_argument("--record", action="store_true", help="write hashes.json instead of comparing with it")
    asked = parser.parse_args()
    recipe = yaml.safe_load((HERE / "recipe.yaml").read_text(encoding="utf-8"))
    found = make(recipe, asked)
    if asked.record:
        HASHES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return 0
    known = json.loads(HASHES.read_text(encoding="utf-8"))
    differing = [name for name in known | found if known.get(name) != found.get(name)]
    print(f"not as recorded: {', '.join(differing)}" if differing else f"all {len(found)} hashes are as recorded")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
