"""Outside witnesses that pictures and labels agree: FreeType looks for tofu, Tesseract reads the lines.

    python benchmarks/render_witness.py tofu --texts ko.nsmc.txt.xz --fonts FOLDER... [--count 20000]
    python benchmarks/render_witness.py read --texts FOLDER --fonts FOLDER... [--count 40]

`tofu`: fonts are chosen with HarfBuzz; here FreeType (through Pillow) draws each character of each rendered line in the
line's font by itself, and its ink must differ from nothing and from that font's .notdef. `read`: Tesseract (Debian's
tesseract-ocr and language packages) reads `clean` renders of each language; a low character error rate means that
letters, order and direction are those of the label. Each prints a table, and one JSON object as its last line.
"""

from __future__ import annotations

import argparse
import functools
import json
import lzma
import subprocess
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import regex
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from glyphline.records import Drop, TextLine
from glyphline.render.fonts import catalogue
from glyphline.render.line import RenderedLines, load_recipe
from glyphline.text import graphemes, normalise

TESSERACT = {
    "ko": "kor", "ja": "jpn", "zh": "chi_sim", "en": "eng", "fr": "fra", "de": "deu", "vi": "vie", "ru": "rus",
    "el": "ell", "ar": "ara", "fa": "fas", "he": "heb", "hi": "hin", "bn": "ben", "ta": "tam", "th": "tha", "ka": "kat",
    "hy": "hye", "te": "tel", "ml": "mal",
}  # fmt: skip
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
"""Characters that Unicode makes invisible: joiners, selectors, the Hangul fillers."""
CHILLU = {f"{letter}\u0d4d\u200d": chr(0x0D7A + n) for n, letter in enumerate("ണനരലളക")}
"""Malayalam finals as Unicode wrote them before it gave them letters of their own, which Tesseract still does."""
HANGUL = range(0xAC00, 0xD7A4)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, `.xz` or plain."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as handle:
        return [line for line in map(normalise, handle.read().split("\n")) if line]


@functools.lru_cache(maxsize=64)
def freetype(path: str, index: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's font."""
    return ImageFont.truetype(path, 40, index=index, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=200_000)
def look(path: str, index: int, char: str) -> bytes:
    """Return the ink of a character by FreeType, empty where there is none."""
    image = Image.new("L", (120, 120), 0)
    ImageDraw.Draw(image).text((30, 30), char, fill=255, font=freetype(path, index))
    pixels = np.asarray(image)
    return pixels.tobytes() if pixels.max() > 24 else b""


def is_tofu(path: str, index: int, char: str) -> bool:
    """Tell whether FreeType draws nothing, or the font's .notdef (which an unassigned code point brings out)."""
    drawn = look(path, index, char)
    return not drawn or drawn == look(path, index, "\U000effff")


def check_tofu(options: argparse.Namespace) -> dict:
    """Count characters without a picture of their own in rendered lines with rare syllables."""
    lines = read_lines(Path(options.texts))
    common = {line for line in lines if all(_is_common(char) for char in line)}
    rare = [line for line in lines if line not in common]
    step = max(1, len(lines) // max(1, options.count - min(len(rare), options.count // 2)))
    chosen = rare[: options.count // 2] + lines[::step]
    texts = [TextLine(str(n), text, "ko", "witness", "train") for n, text in enumerate(chosen[: options.count])]
    recipe = load_recipe("clean", {"fonts": {"folders": options.fonts}, "height_px": 32, "effects": []})
    rendered = RenderedLines(texts, recipe, seed=2, order="given")
    faces = {face.key: face for face in catalogue(recipe.fonts).faces}
    checked, tofu, drops, used, pairs = 0, [], {}, set(), set()
    for index, line in enumerate(texts):
        sample = rendered[index]
        if isinstance(sample, Drop):
            drops[sample.reason] = drops.get(sample.reason, 0) + 1
            continue
        checked += 1
        face = faces[sample.provenance["font"]]
        used.add(face.family)
        for char in set(unicodedata.normalize("NFC", line.text)):
            pairs.add((face.key, char))
            if (
                not char.isspace()
                and unicodedata.category(char) not in ("Mn", "Me")
                and not _IGNORABLE.match(char)
                and is_tofu(face.path, face.index, char)
            ):
                tofu.append((face.key, char))
    print(f"{checked} lines in {len(used)} families, {len(pairs)} pairs of font and character; dropped: {drops}")
    print(f"characters that FreeType draws as nothing or as .notdef: {len(tofu)} {sorted(set(tofu))[:10]}")
    return {"lines": checked, "families": len(used), "pairs": len(pairs), "dropped": drops, "tofu": len(tofu)}


def _is_common(char: str) -> bool:
    """Tell whether a character is ASCII or one of the 2,350 syllables of KS X 1001."""
    if ord(char) not in HANGUL:
        return char.isascii()
    return len(char.encode("euc_kr", errors="ignore")) == 2


def read_by_tesseract(images: list[np.ndarray], code: str) -> list[str]:
    """Return what Tesseract reads in each picture as one line, in one run over a list of files."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, image in enumerate(images):
            name = f"{folder}/{number:04d}.png"
            room = np.pad(image, ((12, 12), (24, 24)), mode="edge")
            Image.fromarray(room).save(name, dpi=(200, 200))
            names.append(name)
        Path(folder, "list.txt").write_text("\n".join(names) + "\n")
        command = ["tesseract", f"{folder}/list.txt", "stdout", "-l", code, "--psm", "7", "-c", "page_separator=\x0c"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin"}
        )
    return [
        normalise(part.replace("\u200e", "").replace("\u200f", "")) for part in done.stdout.split("\x0c")[: len(images)]
    ]


def _visible(text: str) -> str:
    """Return what can be seen of a text: no spaces, no joiners (Tesseract writes one after each Tamil virama)."""
    for old, new in CHILLU.items():
        text = text.replace(old, new)
    return _IGNORABLE.sub("", text.replace(" ", ""))


def check_reading(options: argparse.Namespace) -> dict:
    """Print Tesseract's character error rate on clean renders of each language."""
    results = {}
    print(f"{'language':10}{'lines':>6}{'dropped':>9}{'unread':>8}{'median CER':>12}{'CER':>8}   reversed label: CER")
    for language, code in TESSERACT.items():
        files = sorted(Path(options.texts).glob(f"{language}.*"))
        if not files or (options.languages and language not in options.languages):
            continue
        lines = [line for line in read_lines(files[0]) if 12 <= len(line) <= 45 and any(c.isalpha() for c in line)]
        lines = lines[:: max(1, len(lines) // options.count)][: options.count]
        texts = [TextLine(str(n), text, language, "witness", "train") for n, text in enumerate(lines)]
        fonts = {"folders": options.fonts, "kinds": ["print"]}
        recipe = load_recipe("clean", {"fonts": fonts, "height_px": 56})
        rendered = RenderedLines(texts, recipe, seed=3, order="given")
        samples = [rendered[n] for n in range(len(texts))]
        made = [sample for sample in samples if not isinstance(sample, Drop)]
        if not made:
            continue
        readings = read_by_tesseract([sample.image for sample in made], code)
        pairs = [(graphemes(_visible(s.text)), graphemes(_visible(r))) for s, r in zip(made, readings, strict=True)]
        errors = [Levenshtein.distance(label, reading) for label, reading in pairs]
        mirrored = sum(Levenshtein.distance(label[::-1], reading) for label, reading in pairs)
        total = sum(len(label) for label, _ in pairs)
        unread = sum(not reading for _, reading in pairs)
        median = float(np.median([e / max(1, len(label)) for e, (label, _) in zip(errors, pairs, strict=True)]))
        results[language] = {
            "lines": len(made),
            "unread": unread,
            "median_cer": round(median, 3),
            "cer": round(sum(errors) / total, 3),
        }
        shown = f"{language:10}{len(made):6d}{len(samples) - len(made):9d}{unread:8d}"
        print(f"{shown}{median:12.3f}{sum(errors) / total:8.3f}   {mirrored / total:.2f}")
    return results


def main() -> None:
    """Run one of the two checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=["tofu", "read"])
    parser.add_argument("--texts", required=True)
    parser.add_argument("--fonts", nargs="+", required=True)
    parser.add_argument("--languages", nargs="*", default=[])
    parser.add_argument("--count", type=int, default=0)
    options = parser.parse_args()
    options.count = options.count or {"tofu": 20_000, "read": 40}[options.check]
    print(json.dumps((check_tofu if options.check == "tofu" else check_reading)(options)))


if __name__ == "__main__":
    main()
