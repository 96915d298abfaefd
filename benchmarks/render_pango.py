"""Shaping against Pango, which itemises, orders and places by its own code: same glyphs, same order, same places.

    python benchmarks/render_pango.py --texts FOLDER --fonts FOLDER... [--count 60] [--languages ar he]

`pango-view` (Debian's pango1.0-tools) sets real lines of each language, and lines made to be difficult, with one font
file and writes down its glyphs; each must stand here too, in the same order, within a pixel at 48 px to the em. A line
counts once for each font. Prints a table, and one JSON object as its last line; says so and ends where Pango is absent.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from render_witness import read_lines

from glyphline.plugins import available
from glyphline.render.faces import Face, characters, font_files, read_faces
from glyphline.render.fonts import SAMPLE_SHARE, Choice, lacking, language_facts, sample_letters
from glyphline.render.glyphs import GlyphCache
from glyphline.render.shaping import Setting, shape

SIZE_PX = 48
UNITS = 1024
"""Pango's units in a pixel."""
HARD = {
    "ko": ["\u1112\u1161\u11ab\u1100\u1173\u11af \u1102\u1161", "한\u11a8 OK (3개)"],
    "en": ["office AVATAR ffi fl", "e\u0301a\u0308o\u0302 Ty."],
    "ar": ["abc (السلام) 123-456 def", "٣٫١٤ ١٢٣ (abc) لا إله", "قال \u2067abc 123\u2069 نعم"],
    "he": ["שלום (abc, 12%) עולם", "בְּרֵאשִׁית 3-4 א", "\u202bאבג abc\u202c 5"],
    "fa": ["می\u200cخواهم ۱۲۳٫۵ (abc)", "کتاب\u200cها و abc۱"],
    "hi": ["क्षत्रिय र्क त्र ङ्क ह्म", "कि\u200dक क्\u200cष"],
    "th": ["ที่นี่น้ำ กำ ปั่ ญู"],
}
FONT_CONFIG = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{folder}/cache</cachedir></fontconfig>"""
PLAIN = ("--hinting=none", "--hint-metrics=off", "--subpixel-positions", "--no-auto-dir", "--dpi=72")
EMPTY = 0x0FFFFFFF
"""Pango's glyph for characters that it hides."""


def by_pango(face: Face, texts: list[str], language: str, direction: str) -> list[list[tuple[int, float, float]]]:
    """Return (glyph, x, y) in pixels from the left end of each line."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(face.path, place)
        (place / "fonts.conf").write_text(FONT_CONFIG.format(folder=folder))
        (place / "lines.txt").write_text("\n".join(texts), encoding="utf-8")
        command = [
            "pango-view",
            "-q",
            *PLAIN,
            f"--language={language}",
            f"--font={face.family} {face.style} {SIZE_PX}px",
        ]
        command += ["--rtl"] if direction == "rtl" else []
        command += [f"--serialize-to={folder}/out.json", "-o", f"{folder}/out.svg", f"{folder}/lines.txt"]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            env={"FONTCONFIG_FILE": f"{folder}/fonts.conf", "PATH": "/usr/bin"},
        )
        found = json.loads((place / "out.json").read_text(encoding="utf-8"))
    return [placed(line) for line in found["output"]["lines"]][: len(texts)]


def placed(line: dict) -> list[tuple[int, float, float]]:
    """Return (glyph, x, y) of a line as Pango wrote it down."""
    found, pen = [], 0
    for run in line.get("runs", []):
        for glyph in run["glyphs"]:
            found.append((glyph["glyph"], (pen + glyph.get("x-offset", 0)) / UNITS, -glyph.get("y-offset", 0) / UNITS))
            pen += glyph["width"]
    return found


def by_us(face: Face, text: str, language: str, direction: str) -> list[tuple[int, float, float]]:
    """Return the same of our layout."""
    layout = shape(text, Choice(face), Setting(SIZE_PX, direction, language))
    return list(zip(layout.glyphs, layout.x.tolist(), layout.y.tolist(), strict=True))


def compare(face: Face, texts: list[str], language: str) -> tuple[list[str], float]:
    """Return the lines whose glyphs or order differ, and the largest distance of a glyph in the others, in pixels."""
    direction = language_facts(language).direction
    table = GlyphCache().table(face.path, face.index, SIZE_PX)
    different, farthest = [], 0.0
    for text, theirs in zip(texts, by_pango(face, texts, language, direction), strict=True):
        # What has no ink may stand anywhere: Pango and HarfBuzz put different empty glyphs for joiners and spaces.
        theirs = [place for place in theirs if place[0] != EMPTY and table[place[0]]]
        ours = [place for place in by_us(face, text, language, direction) if table[place[0]]]
        if [place[0] for place in ours] != [place[0] for place in theirs]:
            different.append(text)
            continue
        pairs = zip(ours, theirs, strict=True)
        farthest = max([farthest, *(max(abs(a[1] - b[1]), abs(a[2] - b[2])) for a, b in pairs)])
    return different, farthest


def fonts_for(language: str, faces: list[Face]) -> list[Face]:
    """Return the faces that write a language by themselves."""
    letters = sample_letters(language)
    return [face for face in faces if len(letters & characters(face.ranges)) >= SAMPLE_SHARE * len(letters)]


def main() -> None:
    """Compare, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True, help="folder of UTF-8 text files named LANGUAGE.NAME.txt[.xz]")
    parser.add_argument("--fonts", nargs="+", required=True, help="font folders")
    parser.add_argument("--count", type=int, default=60, help="lines a language and font")
    parser.add_argument("--most_fonts", type=int, default=6, help="fonts a language")
    parser.add_argument("--languages", nargs="+", default=[])
    options = parser.parse_args()
    if not shutil.which("pango-view"):
        print(json.dumps({"skipped": "pango-view is not installed (Debian: pango1.0-tools)"}))
        return
    faces = [face for file in font_files(options.fonts) for face in read_faces(file)[:1]]
    report: dict = {}
    print(f"{'language':10}{'fonts':>6}{'lines':>7}{'other glyphs':>14}{'farthest px':>13}")
    for language in options.languages or available("language"):
        files = sorted(Path(options.texts).glob(f"{language}.*.txt*"))
        lines = [line for line in (read_lines(files[0]) if files else []) if len(line) <= 80]
        lines = lines[:: max(1, len(lines) // options.count)][: options.count] + HARD.get(language, [])
        row = {"fonts": 0, "lines": 0, "different": [], "farthest_px": 0.0}
        for face in fonts_for(language, faces)[: options.most_fonts]:
            chosen = [line for line in lines if not lacking(set(line), characters(face.ranges))]
            if not chosen:
                continue
            different, farthest = compare(face, chosen, language)
            row["fonts"], row["lines"] = row["fonts"] + 1, row["lines"] + len(chosen)
            row["different"] += [f"{face.family}: {text}" for text in different]
            row["farthest_px"] = round(max(row["farthest_px"], farthest), 2)
        if row["lines"]:
            report[language] = row
            print(f"{language:10}{row['fonts']:6}{row['lines']:7}{len(row['different']):14}{row['farthest_px']:13.2f}")
    for language, row in report.items():
        for text in row["different"][:5]:
            print(f"{language}: {text!r}")
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
