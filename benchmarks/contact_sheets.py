"""Contact sheets for docs/: one a preset, and one with a line or two of every language in a folder of texts.

python benchmarks/contact_sheets.py --texts FOLDER --fonts FOLDER... --output docs
"""

from __future__ import annotations

import argparse
from pathlib import Path

from glyphline.plugins import available
from glyphline.records import Drop, Sample, TextLine
from glyphline.render.line import RenderedLines, load_recipe
from glyphline.render.sheet import contact_sheet
from glyphline.text import normalise

PRESETS = ("clean", "trdg", "document", "photo", "handwriting", "mixed", "trocr")


def read(folder: Path, language: str, count: int) -> list[TextLine]:
    """Return some lines of moderate length of a language."""
    file = next(iter(sorted(folder.glob(f"{language}.*.txt"))), None)
    if file is None:
        return []
    lines = [normalise(line) for line in file.read_text(encoding="utf-8").split("\n")]
    lines = [line for line in lines if 8 <= len(line) <= 40]
    step = max(1, len(lines) // count)
    return [
        TextLine(f"{language}{n}", text, language, file.stem, "train") for n, text in enumerate(lines[::step][:count])
    ]


def rendered(texts: list[TextLine], preset: str, fonts: list[str], count: int, seed: int = 4) -> list[Sample]:
    """Return the first `count` lines that were not dropped."""
    recipe = load_recipe(preset, {"fonts": {"folders": fonts}, "height_px": 48})
    lines = RenderedLines(texts, recipe, seed, order="given")
    made = (lines[index] for index in range(len(texts)))
    return [sample for sample in made if not isinstance(sample, Drop)][:count]


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True, type=Path)
    parser.add_argument("--fonts", nargs="+", required=True)
    parser.add_argument("--output", type=Path, default=Path("docs"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    korean, french = read(options.texts, "ko", 40), read(options.texts, "fr", 40)
    mixture = [line for pair in zip(korean, french, strict=False) for line in pair]
    for preset in PRESETS:
        texts = mixture if preset == "handwriting" else korean
        sheet = contact_sheet(rendered(texts, preset, options.fonts, 26), width_px=1200, levels=64)
        (options.output / f"render_{preset}.png").write_bytes(sheet)
        print(f"render_{preset}.png {len(sheet) // 1024} KB")
    for preset in ("clean", "photo"):
        samples = []
        for number, language in enumerate(available("language")):
            samples += rendered(read(options.texts, language, 6), preset, options.fonts, 2, seed=number)
        sheet = contact_sheet(samples, width_px=1400, levels=32)
        (options.output / f"languages_{preset}.png").write_bytes(sheet)
        print(f"languages_{preset}.png {len(sheet) // 1024} KB, {len({s.language for s in samples})} languages")


if __name__ == "__main__":
    main()
