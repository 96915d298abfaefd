"""`glyphline fonts`: what the fonts at hand can and cannot write in a language, and a sheet of specimens."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from glyphline import seeds
from glyphline.plugins import available
from glyphline.records import TextLine
from glyphline.render.engines import Refusal, Task
from glyphline.render.faces import characters, describe
from glyphline.render.fonts import (
    SAMPLE_SHARE,
    Catalogue,
    Choice,
    catalogue,
    lacking,
    language_facts,
    main_script,
    sample_letters,
)
from glyphline.render.recipe import FontSettings, load_recipe
from glyphline.render.texts import read_lines
from glyphline.settings import InputError, command, suggest


@dataclass(frozen=True)
class FontsSettings:
    """What is looked at."""

    language: str = "ko"
    """Language code."""
    folder: list[str] = field(default_factory=list)
    """Folders of fonts or font files; the system's where none is given."""
    texts: str = ""
    """UTF-8 text file: what share of its lines each font can write, and which characters none can."""
    specimen: str = ""
    """PNG file for a sheet with a line in each font."""
    json: str = ""
    """JSON file for everything that is known about the fonts."""
    held_out: float = 0.0
    """Show the split of families that a recipe with this share would make."""


def _fold(argv: list[str]) -> list[str]:
    """Turn `--folder A B` into a list."""
    result, taking = [], False
    for argument in argv:
        if argument == "--folder":
            taking = True
        elif taking and not argument.startswith("-"):
            result.append(f"--folder+={argument}")
        else:
            taking = False
            result.append(argument)
    return result


@command(FontsSettings, name="fonts", example="glyphline fonts --language ko --folder demo/fonts --specimen fonts.png")
def _fonts(settings: FontsSettings) -> int | None:
    """List which fonts write a language, what they lack and how they are licensed; reads fonts, writes a table."""
    language = language_facts(settings.language)
    if language is None:
        raise InputError(
            f"--language: no language {settings.language!r}{suggest(settings.language, available('language'))}"
        )
    fonts = catalogue(FontSettings(folders=list(settings.folder), held_out=settings.held_out))
    chosen = [choice for choice in fonts.choices if _writes(choice, settings.language)]
    lines = [text for _, text in read_lines(settings.texts)] if settings.texts else list(language.samples)
    sys.stdout.write(table(fonts, chosen, lines))
    others = len(fonts.choices) - len(chosen)
    sys.stdout.write(f"{len(chosen)} faces write {language.name}, {others} do not, {len(fonts.damaged)} are damaged\n")
    lost = unwritable(chosen, lines)
    if lost:
        shown = " ".join(f"{char} U+{ord(char):04X} ({count})" for char, count in lost.most_common(20))
        sys.stdout.write(f"characters in lines that no font writes: {shown}\n")
    if settings.json:
        facts = [describe(choice.face) for choice in fonts.choices]
        Path(settings.json).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    if settings.specimen and chosen:
        Path(settings.specimen).write_bytes(specimen(chosen, settings.language))
        sys.stdout.write(f"specimens: {settings.specimen}\n")
    if not chosen:
        packages = ", ".join(language.font_packages) or "none known"
        raise InputError(f"no font writes {language.name}; Debian packages that bring one: {packages}")
    return None


def main(argv: list[str] | None = None) -> int:
    """Run `glyphline fonts`."""
    return _fonts(_fold(sys.argv[1:] if argv is None else list(argv)))


main.parser, main.settings, main.aliases = _fonts.parser, _fonts.settings, _fonts.aliases


def _writes(choice: Choice, language: str) -> bool:
    letters = sample_letters(language)
    return len(letters & characters(choice.face.ranges)) >= SAMPLE_SHARE * len(letters)


def table(fonts: Catalogue, chosen: list[Choice], lines: list[str]) -> str:
    """Return one row a face: family, style, kind, script, characters, empty promises, share of lines, licence."""
    columns = (("family", 24), ("style", 12), ("kind", 5), ("script", 6), ("split", 10), ("chars", -6), ("blank", -6))
    head = " ".join(f"{name:{'>' if width < 0 else '<'}{abs(width)}}" for name, width in columns) + "  lines  licence\n"
    rows = []
    for choice in chosen:
        face = choice.face
        count, blank = (sum(last - first + 1 for first, last in ranges) for ranges in (face.ranges, face.blank))
        written = sum(not lacking(set(line), choice.chars) for line in lines)
        rows.append(
            f"{face.family[:24]:24} {face.style[:12]:12} {face.kind:5} {main_script(face):6} "
            f"{fonts.splits[face.family] or 'all':10} {count:6d} {blank:6d} {written / max(1, len(lines)):6.1%}  "
            f"{(face.licence or 'not stated')[:60]}{' + ' + choice.companion.family if choice.companion else ''}\n"
        )
    return head + "".join(rows)


def unwritable(chosen: list[Choice], lines: list[str]) -> Counter:
    """Return the characters that keep lines from being written by any font, with the number of such lines."""
    lost: Counter = Counter()
    everything = frozenset().union(*(choice.chars for choice in chosen)) if chosen else frozenset()
    for line in lines:
        lost.update(lacking(set(line), everything))
    return lost


def specimen(chosen: list[Choice], language: str) -> bytes:
    """Return a PNG with a sample sentence in each font, its name before it."""
    import cv2
    import numpy as np

    from glyphline.images import encode
    from glyphline.render.engines.native import render
    from glyphline.render.line import draw_direction
    from glyphline.text import normalise

    recipe, rows = load_recipe("clean", {"height_px": 48, "effects": []}), []
    samples = [normalise(text) for text in language_facts(language).samples]
    for choice in chosen:
        text = next((text for text in samples if not lacking(set(text), choice.chars)), samples[0])
        line = TextLine("specimen", text, language, "specimen", "train")
        image = render(Task(line, choice, recipe, draw_direction(line)), seeds.rng(0, "specimen"))
        if isinstance(image, Refusal):
            continue
        row = np.full((56, 1400), 255, np.uint8)
        name = f"{choice.face.family} {choice.face.style}".encode("ascii", "replace").decode()[:34]
        cv2.putText(row, name, (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 110, 1, cv2.LINE_AA)
        scale = min(1.0, (1400 - 330) / image.shape[1])
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        top = 28 - image.shape[0] // 2
        row[top : top + image.shape[0], 320 : 320 + image.shape[1]] = image
        rows.append(row)
    return encode(np.concatenate(rows), "png")
