"""The IAM handwriting database in its original layout: forms, lines or words with `xml/` and `ascii/`.

Folders: `xml/<form>.xml`, `ascii/{forms,lines,words}.txt`, `lines/a01/a01-000u/a01-000u-00.png`, `words/…`,
`forms*/<form>.png`. Splits are read from lists of form or line ids: the Aachen partition (`train.uttlist`, …), the
set's own task (`trainset.txt`, `validationset1.txt`, …) or `tr.lst`, `va.lst`, `te.lst`. Groups are writers.

(Marti & Bunke 2002. The set itself may be used for research only and has to be asked for at its authors.)
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from glyphline.handwriting.crops import Cropping, page_picture
from glyphline.handwriting.raw import PICTURES, FilePicture, Picture, RawLine, folder, read_text, split_name
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class Settings:
    """Which level is read and by which conventions."""

    root: str = ""
    """Folder of the set."""
    level: Literal["line", "word", "form"] = "line"
    """What a sample is. A form's text has line breaks: keep them with `--rules.collapse_space lines`."""
    text: Literal["xml", "ascii"] = "xml"
    """Where texts come from. They differ: the XML has natural spacing (`We'll go.`), the ASCII files have tokens."""
    spacing: Literal["natural", "tokens"] = "natural"
    """How the ASCII files' tokens (`We|'ll|go|.`) are joined: `natural` joins punctuation to its word, `tokens` puts a
    space at every bar, as some published copies of the set have it."""
    errors: Literal["auto", "keep", "drop"] = "auto"
    """What becomes of items marked `segmentation=err`: auto drops words, whose boxes are then wrong, and keeps lines
    and forms, whose pictures are whole."""
    splits: str = ""
    """Folder under root with the lists of ids; found by itself where it is empty, none needed with split.by group."""
    header_margin_px: int = 150
    """Rows of a form kept above its first and below its last written line; the printed header lies above."""
    crop: Cropping = field(default_factory=lambda: Cropping(mask=False))
    """How lines are cut from forms where `lines/` is missing."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A line or word: `box` is left, top, right, bottom on the form."""

    id: str
    text: str
    ok: bool
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    id: str
    writer: str
    lines: list[_Item]
    words: list[_Item]


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield forms, lines or words in the order of the forms' ids. InputError where neither XML nor ASCII is there."""
    root = folder(settings.root)
    splits = _splits(root, settings)
    faults: list[Drop] = []
    forms = _from_ascii(root, settings) if settings.text == "ascii" else _from_xml(root, faults)
    for form in forms:
        for item in _items(form, settings):
            yield _sample(root, form, item, settings, splits)
    yield from faults


def _items(form: _Form, settings: Settings) -> list[_Item]:
    if settings.level == "line":
        return form.lines
    if settings.level == "word":
        return form.words
    boxes = [line.box for line in form.lines if line.box]
    box = None
    if boxes:
        top, bottom = min(b[1] for b in boxes) - settings.header_margin_px, max(b[3] for b in boxes)
        box = (0.0, max(0.0, top), float("inf"), bottom + settings.header_margin_px)
    text = "\n".join(line.text for line in form.lines)
    return [_Item(form.id, text, all(line.ok for line in form.lines), box)]


def _sample(root: Path, form: _Form, item: _Item, settings: Settings, splits: dict[str, str]) -> RawLine | Drop:
    drop = settings.errors == "drop" or settings.errors == "auto" and settings.level == "word"
    if drop and not item.ok:
        return Drop("segmentation=err", item.id, item.text[:80])
    picture = _picture(root, form.id, item, settings)
    if picture is None:
        return Drop("no picture", item.id, item.text[:80])
    line = re.match(r"^[^-]+-[^-]+-\d+", item.id)
    split = splits.get(item.id) or splits.get(line[0] if line else "") or splits.get(form.id, "")
    known = {"writer": form.writer, "form": form.id, "segmentation": "ok" if item.ok else "err"}
    return RawLine(item.id, item.text, picture, f"writer {form.writer}" if form.writer else form.id, split, "", known)


def _picture(root: Path, form: str, item: _Item, settings: Settings) -> Picture | None:
    """Return the item's own file, else its part of the form, None where there is neither."""
    if settings.level != "form":
        place = root / f"{settings.level}s" / form.split("-")[0] / form
        found = next((place / f"{item.id}{end}" for end in PICTURES if (place / f"{item.id}{end}").is_file()), None)
        if found:
            return FilePicture(str(found))
    page = next((path for end in PICTURES for path in sorted(root.glob(f"forms*/**/{form}{end}"))), None)
    if page is None or item.box is None:
        return None
    left, top, right, bottom = item.box
    if right == float("inf"):
        right, bottom = _within(page, bottom)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return page_picture(str(page), corners, (), (0.0, 0.0), settings.crop)


def _within(page: Path, bottom: float) -> tuple[float, float]:
    """Return the form's width, and `bottom` or its height where that is less."""
    from PIL import Image

    with Image.open(page) as picture:
        return float(picture.width - 1), min(bottom, float(picture.height - 1))


def _from_xml(root: Path, faults: list[Drop]) -> Iterator[_Form]:
    paths = sorted((root / "xml").glob("*.xml"))
    if not paths:
        raise InputError(f"{root}/xml: no *.xml; use reader_options.text ascii for a copy without XML")
    for path in paths:
        try:
            form = ElementTree.parse(path).getroot()
            lines = list(form.iter("line"))
            words = [_xml_item(word, line) for line in lines for word in line.iter("word")]
            found = [_xml_item(line, line) for line in lines]
        except (ElementTree.ParseError, ValueError) as error:
            faults.append(Drop("damaged XML", path.name, str(error)))
            continue
        yield _Form(form.get("id", path.stem), form.get("writer-id", ""), found, words)


def _xml_item(element: ElementTree.Element, line: ElementTree.Element) -> _Item:
    """Return a line or word; its box is that of its components, a line's rows reach from asy to dsy."""
    parts = [tuple(float(cmp.get(key, "0")) for key in ("x", "y", "width", "height")) for cmp in element.iter("cmp")]
    box = None
    if parts:
        top, bottom = min(y for _, y, _, _ in parts), max(y + h for _, y, _, h in parts)
        if element.tag == "line" and element.get("asy"):
            top, bottom = min(top, float(element.get("asy", 0))), max(bottom, float(element.get("dsy", 0)))
        box = (min(x for x, *_ in parts), top, max(x + w for x, _, w, _ in parts), bottom)
    ok = element.get("segmentation", line.get("segmentation", "ok")) != "err"
    return _Item(element.get("id", ""), html.unescape(element.get("text", "")), ok, box)


def _from_ascii(root: Path, settings: Settings) -> Iterator[_Form]:
    writers = {row[0]: row[1] for row in _rows(root / "ascii/forms.txt", 8)} if _has(root, "forms") else {}
    by_form: dict[str, tuple[list[_Item], list[_Item]]] = {}
    for kind, place in (("lines", 0), ("words", 1)):
        if kind == "words" and settings.level != "word":
            continue
        for row in _rows(root / f"ascii/{kind}.txt", 9):
            item = _ascii_item(row, kind, settings.spacing)
            by_form.setdefault("-".join(item.id.split("-")[:2]), ([], []))[place].append(item)
    for form in sorted(by_form):
        yield _Form(form, writers.get(form, ""), *by_form[form])


def _has(root: Path, name: str) -> bool:
    return (root / f"ascii/{name}.txt").is_file()


def _rows(path: Path, fields: int) -> Iterator[list[str]]:
    """Yield the fields of a table; the last one keeps its spaces, which 36 lines of the original have."""
    for number, row in enumerate(read_text(path).split("\n"), 1):
        if not row.strip() or row.startswith("#"):
            continue
        parts = row.split(" ", fields - 1)
        if len(parts) < fields:
            raise InputError(f"{path}: line {number}: {len(parts)} fields, {fields} are needed")
        yield parts


def _ascii_item(row: list[str], kind: str, spacing: str) -> _Item:
    """`id ok grey components x y w h text` of a line, `id ok grey x y w h tag text` of a word."""
    x, y, width, height = (float(value) for value in (row[4:8] if kind == "lines" else row[3:7]))
    tokens = [html.unescape(token) for token in row[8].split("|")]
    text = " ".join(tokens) if spacing == "tokens" else join_tokens(tokens)
    box = (x, y, x + width, y + height) if width > 0 else None
    return _Item(row[0], text, row[1] == "ok", box)


_CLOSING = re.compile(r"^(?:[.,:;!?)\]]+|'(?:s|d|ll|m|ve|t|re)|n't|\.\.\.)$", re.IGNORECASE)


def join_tokens(tokens: list[str]) -> str:
    """Join tokens as running text has them: closing signs and clitics to the word before, opening ones to the next.

    Quotation marks open and close in turn. This is a convention and not the writer's spacing; the XML is nearer to it.
    """
    text, tight, open_marks = "", True, set()
    for token in tokens:
        closes = _CLOSING.match(token) is not None
        if token in ('"', "'"):
            closes = token in open_marks
            open_marks ^= {token}
        text += ("" if tight or closes else " ") + token
        tight = token in ("(", "[") or token in ('"', "'") and not closes
    return text


_LISTS = ("part", "partitions", "splits", "aachen_partition", "aachen", "task", "ascii", "")


def _splits(root: Path, settings: Settings) -> dict[str, str]:
    """Return the split of form and line ids from the first folder that has lists. InputError for an id in two."""
    places = [root / settings.splits] if settings.splits else [root / name for name in _LISTS]
    for place in places:
        lists = [path for end in ("uttlist", "lst", "txt") for path in sorted(place.glob(f"*.{end}"))]
        named = [(path, _split_of(path.stem)) for path in lists if _split_of(path.stem)]
        if not named:
            continue
        splits: dict[str, str] = {}
        for path, split in named:
            for name in read_text(path).split():
                if splits.setdefault(name, split) != split:
                    raise InputError(f"{path}: {name!r} is also in {splits[name]}; lists must not overlap")
        return splits
    if settings.splits:
        raise InputError(f"{root / settings.splits}: no lists such as train.uttlist, trainset.txt or tr.lst")
    return {}


def _split_of(stem: str) -> str:
    """Return the split of a list; the set's own task has two validation lists."""
    return split_name(re.sub(r"set\d*$|\d+$", "", stem))
