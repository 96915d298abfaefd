"""Pictures of a prepared set for people: a contact sheet, and a page with every kind of drop."""

from __future__ import annotations

import base64
import functools
import html
import io
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from glyphline import images
from glyphline.handwriting.pictures import scaled
from glyphline.handwriting.raw import RawLine
from glyphline.records import SPLITS, Drop
from glyphline.seeds import rng
from glyphline.settings import InputError

LINES_ON_SHEET, COLUMNS, CELL_WIDTH_PX, CELL_HEIGHT_PX, CAPTION_PX = 60, 3, 620, 56, 22
LINES_ON_PAGE, DROPS_PER_REASON = 80, 30


def chosen_lines(lines: Sequence[RawLine], sides: dict[str, str], count: int) -> list[RawLine]:
    """Return lines of all splits at random, the same each time, in the set's order."""
    kept = [line for line in lines if line.id in sides]
    picked = rng(0, "sheet", len(kept)).choice(len(kept), size=min(count, len(kept)), replace=False)
    return [kept[k] for k in sorted(picked)]


def contact_sheet(lines: Sequence[RawLine], sides: dict[str, str], texts: dict[str, str]) -> bytes:
    """Return a PNG with lines and their texts beneath, `split · text`."""
    from PIL import Image, ImageDraw

    chosen = chosen_lines(lines, sides, LINES_ON_SHEET)
    rows = -(-len(chosen) // COLUMNS)
    cell_height = CELL_HEIGHT_PX + CAPTION_PX + 10
    sheet = Image.new("RGB", (COLUMNS * (CELL_WIDTH_PX + 16) + 16, max(1, rows) * cell_height + 12), (244, 245, 247))
    draw = ImageDraw.Draw(sheet)
    for k, line in enumerate(chosen):
        x, y = 16 + (k % COLUMNS) * (CELL_WIDTH_PX + 16), 8 + (k // COLUMNS) * cell_height
        sheet.paste(Image.fromarray(_fitted(line, CELL_WIDTH_PX, CELL_HEIGHT_PX)), (x, y))
        caption = f"{sides[line.id]} · {texts[line.id]}".replace("\n", " ⏎ ")
        font = caption_font(frozenset(caption))
        while draw.textlength(caption, font=font) > CELL_WIDTH_PX and len(caption) > 4:
            caption = caption[:-4] + "…"
        draw.text((x, y + CELL_HEIGHT_PX + 1), caption, fill=(60, 66, 80), font=font)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _fitted(line: RawLine, width_px: int, height_px: int) -> np.ndarray:
    """Return the line as RGB, scaled down into a cell, aspect kept."""
    image = images.to_rgb(line.picture.load())
    height = min(height_px, max(1, int(image.shape[0] * width_px / image.shape[1])), image.shape[0])
    return scaled(image, height)


@functools.lru_cache(maxsize=64)
def caption_font(wanted: frozenset[str]) -> object:
    """Return a font at hand that has the characters, as far as there is one: DejaVu first, then the system's."""
    from PIL import ImageFont

    best = max(_covers(), key=lambda item: len(wanted & item[1]))
    return ImageFont.truetype(best[0], 14)


@functools.cache
def _covers() -> list[tuple[str, frozenset[str]]]:
    """Return the fonts of matplotlib and of the system with the characters that they say they have."""
    from fontTools.ttLib import TTFont, TTLibError
    from matplotlib import font_manager

    names = [font_manager.findfont("DejaVu Sans"), *sorted(font_manager.findSystemFonts())]
    found = []
    for name in names[:80]:
        try:
            with TTFont(name, fontNumber=0, lazy=True) as font:
                found.append((name, frozenset(map(chr, font.getBestCmap() or {}))))
        except (TTLibError, OSError):
            continue
    return found


def page(lines: Sequence[RawLine], sides: dict[str, str], texts: dict[str, str], drops: Sequence[Drop]) -> str:
    """Return a self-contained, escaped HTML page: counts, lines of every split, and drops by reason with pictures."""
    by_id = {line.id: line for line in lines}
    sizes = Counter(sides.values())
    parts = [_HEAD, "<h1>Prepared lines</h1><p>", " · ".join(f"{split}: {sizes[split]}" for split in SPLITS), "</p>"]
    for split in SPLITS:
        here = {name: side for name, side in sides.items() if side == split}
        parts.append(f"<h2>{split}</h2>")
        share = max(10, LINES_ON_PAGE * sizes[split] // max(1, len(sides)))
        parts += [_card(line, texts[line.id], line.id) for line in chosen_lines(lines, here, share)]
    reasons: dict[str, list[Drop]] = defaultdict(list)
    for drop in drops:
        reasons[drop.reason].append(drop)
    parts.append(f"<h2>Dropped: {len(drops)}</h2>")
    for reason, listed in sorted(reasons.items()):
        parts.append(f"<h3>{html.escape(reason)}: {len(listed)}</h3>")
        for drop in listed[:DROPS_PER_REASON]:
            parts.append(_card(by_id.get(drop.item), by_id[drop.item].text if drop.item in by_id else "", _named(drop)))
    return "\n".join([*parts, "</body></html>\n"])


def _named(drop: Drop) -> str:
    return f"{drop.item} · {drop.detail}" if drop.detail else drop.item


def _card(line: RawLine | None, text: str, caption: str) -> str:
    try:
        source = _uri(line) if line else ""
    except InputError:
        source = ""
    picture = f'<img src="{source}" alt="">' if source else ""
    return f"<div>{picture}<bdi>{html.escape(text)}</bdi><small>{html.escape(caption)}</small></div>"


def _uri(line: RawLine) -> str:
    data = images.encode(_fitted(line, 1200, 64), "jpeg", 80)
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Prepared lines</title><style>
body { font: 15px/1.45 system-ui, "Noto Sans", "Noto Sans CJK KR", sans-serif; color: #1d2430;
  margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
div { border-top: 1px solid #e4e7ec; padding: .5rem 0; }
img { display: block; max-width: 100%; border: 1px solid #e4e7ec; margin-bottom: .2rem; }
bdi { display: block; font-size: 1.05rem; white-space: pre-wrap; } small { color: #667085; }
</style></head><body>"""
