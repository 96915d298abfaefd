"""The Spanish Notary Collection as published: clauses of 17th-century deeds, Pascal VOC boxes, texts in a JSON file.

The XML files do *not* hold transcriptions: a box's `name` is its topic (`143_Reassurance`, `R38,Img100_header`). The
texts lie in `Labeled Data.json` with page and topics and no reference to a box. What can honestly be joined is a
page's topic that has one box and one text; every other box and text is dropped and listed. A box holds a clause of
several written lines, so the pictures are regions for the `page` family rather than lines.

Published at https://github.com/raopr/SpanishNotaryCollection (Apache-2.0).
"""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from glyphline.handwriting.crops import Cropping, Points, page_picture
from glyphline.handwriting.raw import PICTURES, RawLine, folder, read_text
from glyphline.records import Drop
from glyphline.settings import InputError

logger = logging.getLogger(__name__)


@dataclass
class Settings:
    """Where boxes and texts are and which pairs are believed."""

    root: str = ""
    """Folder of the set; XML files and pictures may lie in sub-folders."""
    texts: str = ""
    """The JSON file with `records` under root; the only *.json there where it is empty."""
    equal_counts: bool = False
    """Also pair several boxes of one topic with as many texts, from top to bottom in the order of the records: a
    guess, as the set does not say which is which."""
    crop: Cropping = field(default_factory=Cropping)
    """How boxes are cut."""


@dataclass(frozen=True, slots=True)
class _Box:
    """One object of a VOC file: the picture's size in `size`."""

    page: str
    topic: str
    corners: Points
    size: tuple[float, float]
    picture: str
    name: str


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the clauses whose box and text belong together without doubt; everything else as drops."""
    root = folder(settings.root)
    texts = _texts(_texts_file(root, settings))
    boxes: dict[tuple[str, str], list[_Box]] = defaultdict(list)
    for path in sorted(root.rglob("*.xml")):
        for found in _boxes(path, root):
            if isinstance(found, Drop):
                yield found
            else:
                boxes[(found.page, found.topic)].append(found)
    logger.warning("notary: boxes hold clauses of several lines, and their XML names are topics, not texts")
    for key in sorted(boxes.keys() | texts.keys()):
        yield from _pair(key, boxes.get(key, []), texts.get(key, []), settings)


def _texts_file(root: Path, settings: Settings) -> Path:
    if settings.texts:
        return root / settings.texts
    found = sorted(root.rglob("*.json"))
    if len(found) != 1:
        raise InputError(f"{root}: {len(found)} JSON files; name the one with the texts in reader_options.texts")
    return found[0]


def _topic(name: str) -> str:
    """Return a topic in one form: its words in lower case, without number or comma before it."""
    words = re.sub(r"^(?:.*,)?(?:[A-Za-z]*\d+_)?", "", name.strip()).replace("_", " ").lower().split()
    return " ".join(word for word in words if word != "the")


def _texts(path: Path) -> dict[tuple[str, str], list[tuple[str, str, dict]]]:
    """Return (id, text, provenance) by page and topic, in the order of the records."""
    try:
        records = json.loads(read_text(path))["records"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no JSON object with 'records' ({error})") from error
    found: dict[tuple[str, str], list] = defaultdict(list)
    for record in records:
        topics = record.get("extended_class_label") or record.get("class_label") or [""]
        known = {key: record[key] for key in ("year", "author_name", "rollo_number") if key in record}
        key = (str(record.get("image_number", "")), _topic(str(topics[0])))
        found[key].append((str(record.get("id", "")), str(record.get("content", "")), known | {"topics": topics}))
    return found


def _boxes(path: Path, root: Path) -> Iterator[_Box | Drop]:
    name = path.relative_to(root).as_posix()
    try:
        tree = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        yield Drop("damaged XML", name, str(error))
        return
    if tree.tag != "annotation":
        yield Drop("not a VOC file", name)
        return
    picture = next((path.with_suffix(end) for end in PICTURES if path.with_suffix(end).is_file()), None)
    if picture is None:
        yield Drop("no picture of the page", name, tree.findtext("filename", ""))
        return
    size = tuple(float(tree.findtext(f"size/{side}", "0")) for side in ("width", "height"))
    for number, item in enumerate(tree.iter("object")):
        label = item.findtext("name", "")
        try:
            edges = [float(item.findtext(f"bndbox/{edge}", "")) for edge in ("xmin", "ymin", "xmax", "ymax")]
        except ValueError:
            yield Drop("damaged coordinates", f"{name}:{number}", label)
            continue
        left, top, right, bottom = edges
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        yield _Box(path.stem, _topic(label), corners, size, str(picture), label)


def _pair(
    key: tuple[str, str], boxes: list[_Box], texts: list[tuple[str, str, dict]], settings: Settings
) -> Iterator[RawLine | Drop]:
    page, topic = key
    sure = len(boxes) == len(texts) and (len(boxes) == 1 or settings.equal_counts)
    if not sure:
        why = f"{len(boxes)} boxes and {len(texts)} texts of this topic on the page"
        yield from (Drop("box without a sure text", f"{page}/{box.name}", why) for box in boxes)
        yield from (Drop("text without a sure box", f"{page}/{topic}/{name}", why) for name, _, _ in texts)
        return
    boxes = sorted(boxes, key=lambda box: (box.corners[0][1], box.corners[0][0]))
    for box, (name, text, known) in zip(boxes, texts, strict=True):
        picture = page_picture(box.picture, box.corners, (), box.size, settings.crop)
        known = known | {"page": page, "box": box.name, "record": name, "unit": "region"}
        yield RawLine(f"{page}/{name}_{topic}".replace(" ", "_"), text, picture, page, provenance=known)
