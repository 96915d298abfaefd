"""Pictures that our renderer has not made: a browser draws them, the model reads them.

    python benchmarks/elsewhere.py make                   # docs/elsewhere/lines.yaml -> docs/elsewhere/*.png, *.jpg
    python benchmarks/elsewhere.py read [--model ko-tiny] # -> docs/elsewhere.md: picture, truth, reading, CER

`make` needs Chromium and the fonts that lines.yaml names (Debian: fonts-nanum, fonts-nanum-extra, fonts-nanum-coding):
shapes, smoothing, blur, rotation and perspective are the browser's, grain is its SVG noise; lines are cut out along the
text's own box. Lines with a `quality` become JPEG. The last line that `read` prints is JSON.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/elsewhere"
ROW_PX, WIDTH_PX, MARGIN_PX = 120, 1200, 9
PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0 }}
div {{ position: relative; height: {row}px; width: {width}px; overflow: hidden; background: white }}
span {{ position: absolute; left: 60px; top: 30px; white-space: nowrap; color: black }}
svg {{ position: absolute; inset: 0; mix-blend-mode: multiply }}
</style>{rows}<script>
document.fonts.ready.then(() => {{
  const boxes = [...document.querySelectorAll("span")].map(s => s.getBoundingClientRect())
  document.title = JSON.stringify(boxes.map(b => [b.left, b.top, b.right, b.bottom]))
}})</script>"""
GRAIN = """<svg width="100%" height="100%"><filter id="g{n}"><feTurbulence type="fractalNoise" baseFrequency="0.8"
seed="{n}"/><feColorMatrix type="saturate" values="0"/></filter><rect width="100%" height="100%" filter="url(#g{n})"
opacity="{grain}"/></svg>"""


def load() -> list[dict[str, Any]]:
    """Return the lines as lines.yaml describes them, each with the name of its picture."""
    lines = yaml.safe_load((FOLDER / "lines.yaml").read_text(encoding="utf-8"))
    return [line | {"file": f"{line['name']}.{'jpg' if 'quality' in line else 'png'}"} for line in lines]


def page_of(lines: list[dict[str, Any]]) -> str:
    """Return the page that shows the lines below each other."""
    rows = []
    for number, line in enumerate(lines):
        grain = GRAIN.format(n=number, grain=line["grain"]) if "grain" in line else ""
        text = f'<span style="{line["text_css"]}">{html.escape(line["text"])}</span>'
        rows.append(f'<div style="{line.get("paper_css", "")}">{text}{grain}</div>')
    return PAGE.format(row=ROW_PX, width=WIDTH_PX, rows="".join(rows))


def browse(page: Path, height_px: int, *more: str) -> str:
    """Open a page in Chromium and return what it prints."""
    command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH_PX},{height_px}"]
    done = subprocess.run([*command, *more, page.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def make() -> None:
    """Draw all lines and cut them out."""
    from PIL import Image

    lines = load()
    height = ROW_PX * len(lines)
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder, "lines.html"), Path(folder, "lines.png")
        page.write_text(page_of(lines), encoding="utf-8")
        title = re.search(r"<title>(.*?)</title>", browse(page, height, "--virtual-time-budget=5000", "--dump-dom"))
        browse(page, height, "--virtual-time-budget=5000", f"--screenshot={shot}")
        with Image.open(shot) as opened:
            whole = opened.convert("RGB")
    for line, (left, top, right, bottom) in zip(lines, json.loads(title[1]), strict=True):
        cut = whole.crop((int(left) - MARGIN_PX, int(top) - 3, int(right) + MARGIN_PX, int(bottom) + 4))
        kind = {"format": "JPEG", "quality": line["quality"]} if "quality" in line else {"format": "PNG"}
        buffer = io.BytesIO()
        cut.save(buffer, **kind, optimize=True)
        (FOLDER / line["file"]).write_bytes(buffer.getvalue())


def read(model: str) -> None:
    """Read all pictures and write docs/elsewhere.md."""
    from glyphline.evaluation.metrics import count_errors, summarise
    from glyphline.images import decode
    from glyphline.models import load_recogniser

    lines = load()
    pictures = [decode((FOLDER / line["file"]).read_bytes(), line["file"]) for line in lines]
    readings = load_recogniser(model, "cpu").read(pictures)
    errors = [count_errors(line["text"], got.text) for line, got in zip(lines, readings, strict=True)]
    total = summarise(errors, resamples=1000)["cer"]
    said = f"{100 * total.value:.1f} % (95 % interval {100 * total.low:.1f} to {100 * total.high:.1f})"
    rows = [
        "# Pictures from elsewhere\n",
        f"Lines that a browser drew (`benchmarks/elsewhere.py make`), read by `{Path(model).name}`: CER {said}.\n",
        "| picture | text | reading | CER | confidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    for line, got, wrong in zip(lines, readings, errors, strict=True):
        cells = [f"![{line['name']}](elsewhere/{line['file']})", _cell(line["text"]), _cell(got.text)]
        rate = summarise([wrong])["cer"].value
        rows.append("| " + " | ".join([*cells, f"{100 * rate:.0f} %", f"{got.confidence:.2f}"]) + " |")
    (ROOT / "docs/elsewhere.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print("\n".join(rows))
    print(
        json.dumps(
            {"model": model, "lines": len(lines), "cer": [round(v, 4) for v in (total.value, total.low, total.high)]}
        )
    )


def _cell(text: str) -> str:
    """Return a text that cannot break out of its cell of the table."""
    return "".join(f"\\{char}" if char in "|*_~`<[" else char for char in text)


def main() -> None:
    """Make the pictures or read them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "read"])
    parser.add_argument("--model", default="ko-tiny", help="model folder or shipped model")
    asked = parser.parse_args()
    make() if asked.what == "make" else read(asked.model)


if __name__ == "__main__":
    sys.exit(main())
