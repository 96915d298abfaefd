"""ALTO 2 to 4 (Library of Congress), as eScriptorium, Transkribus and library scanners write it.

A line's text is its `String`s with a space between two of them, whether `SP` stands there or not, and `HYP` at its
end. Polygons come from `Shape`, else from the box; units other than pixels and pictures published in another size
are scaled by the page's WIDTH and HEIGHT. Order is that of the file, or of `ReadingOrder` where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from glyphline.handwriting.crops import Points, parse_points
from glyphline.handwriting.pages import Page, PageLine, PageSettings, children, read_pages, tag
from glyphline.handwriting.raw import RawLine
from glyphline.records import Drop


@dataclass
class Settings(PageSettings):
    """Which ALTO files are read and how lines are cut."""


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the lines of every page in reading order."""
    yield from read_pages(settings, parse, "an ALTO")


def parse(root: Element) -> Page | None:
    """Read an ALTO file's root element; None where it is something else."""
    if tag(root) != "alto":
        return None
    labels = {item.get("ID", ""): item.get("LABEL", "") for item in root.iter() if tag(item).endswith("Tag")}
    named = next((element.text or "" for element in root.iter() if tag(element) == "fileName"), "").strip()
    page = next((element for element in root.iter() if tag(element) == "Page"), None)
    if page is None:
        return Page(named, (0.0, 0.0), [])
    lines = [
        _line(line, _label(block, labels), labels)
        for block in _in_order(root, page)
        for line in (element for element in block.iter() if tag(element) == "TextLine")
    ]
    return Page(named, (_number(page, "WIDTH"), _number(page, "HEIGHT")), lines)


def _in_order(root: Element, page: Element) -> list[Element]:
    """Return the text blocks in the order of ReadingOrder, those that it does not name after it, as in the file."""
    blocks = [element for element in page.iter() if tag(element) == "TextBlock"]
    order = next((element for element in root.iter() if tag(element) == "ReadingOrder"), None)
    if order is None:
        return blocks
    named = [element.get("REF", "") for element in order.iter() if tag(element) == "ElementRef"]
    places = {name: position for position, name in reversed(list(enumerate(named)))}
    inside = {id(block): [item.get("ID", "") for item in block.iter()] for block in blocks}
    return sorted(blocks, key=lambda block: min((places[n] for n in inside[id(block)] if n in places), default=1 << 30))


def _number(element: Element, name: str) -> float:
    try:
        return float(element.get(name, "0"))
    except ValueError:
        return 0.0


def _label(element: Element, labels: dict[str, str]) -> str:
    return next((labels[name] for name in element.get("TAGREFS", "").split() if labels.get(name)), "")


def _line(line: Element, region_type: str, labels: dict[str, str]) -> PageLine:
    text, identity = _text(line), line.get("ID", "line")
    try:
        polygon, baseline = _polygon(line), _baseline(line)
    except ValueError as error:
        return PageLine(identity, f"{text} ({error})", (), fault="damaged coordinates")
    if len(polygon) < 3:
        return PageLine(identity, text, (), fault="no polygon and no box")
    return PageLine(identity, text, polygon, baseline, _label(line, labels), region_type)


def _text(line: Element) -> str:
    """Join the strings of a line; a hyphen at its end stays at its word."""
    text = ""
    for part in children(line, "String", "SP", "HYP"):
        content = part.get("CONTENT", "")
        if tag(part) == "SP":
            text += " "
        elif tag(part) == "HYP":
            text = text.rstrip() + (content or "-")
        else:
            text += ("" if not text or text.endswith(" ") else " ") + content
    return text.strip()


def _polygon(line: Element) -> Points:
    for shape in children(line, "Shape"):
        for polygon in children(shape, "Polygon"):
            return parse_points(polygon.get("POINTS", ""))
    left, top = _number(line, "HPOS"), _number(line, "VPOS")
    right, bottom = left + _number(line, "WIDTH"), top + _number(line, "HEIGHT")
    if right <= left or bottom <= top:
        return ()
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _baseline(line: Element) -> Points:
    """Return the baseline's points; ALTO 2 and 3 have a single number there, the height of a level line."""
    text = line.get("BASELINE", "").strip()
    if not text:
        return ()
    if len(text.replace(",", " ").split()) == 1:
        left, y = _number(line, "HPOS"), float(text)
        return ((left, y), (left + _number(line, "WIDTH"), y))
    return parse_points(text)
