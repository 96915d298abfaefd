"""PAGE XML (PRImA), 2013 and 2019 and what stands between: Transkribus, OCR-D, eScriptorium, Kitodo.

A line's text is its own `TextEquiv` (the lowest `index` where there are several), else its words'. Regions come in
the order of `ReadingOrder`, lines in that of their `custom="readingOrder {index:N;}"`, else as in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from glyphline.handwriting.crops import Points, parse_points
from glyphline.handwriting.pages import Page, PageLine, PageSettings, children, read_pages, tag
from glyphline.handwriting.raw import RawLine
from glyphline.records import Drop


@dataclass
class Settings(PageSettings):
    """Which PAGE files are read and how lines are cut."""


_INDEX = re.compile(r"readingOrder\s*\{[^}]*index\s*:\s*(\d+)")
_TYPE = re.compile(r"structure\s*\{[^}]*type\s*:\s*([^;}\s]+)")


def samples(settings: Settings) -> Iterator[RawLine | Drop]:
    """Yield the lines of every page in reading order."""
    yield from read_pages(settings, parse, "a PAGE")


def parse(root: Element) -> Page | None:
    """Read a PAGE file's root element; None where it is something else."""
    if tag(root) != "PcGts":
        return None
    page = next(iter(children(root, "Page")), None)
    if page is None:
        return Page("", (0.0, 0.0), [])
    lines = [
        _line(line, region.get("type", "") or _custom(_TYPE, region))
        for region in _regions(page)
        for line in _by_index(children(region, "TextLine"))
    ]
    size = (float(page.get("imageWidth", 0)), float(page.get("imageHeight", 0)))
    return Page(page.get("imageFilename", ""), size, lines)


def _regions(page: Element) -> list[Element]:
    """Return every region that may hold lines, tables' cells too, in reading order."""
    regions = [element for element in page.iter() if children(element, "TextLine")]
    named: list[str] = []
    for order in children(page, "ReadingOrder"):
        named += _references(order)
    places = {name: position for position, name in reversed(list(enumerate(named)))}
    if places:
        return sorted(regions, key=lambda region: places.get(region.get("id", ""), len(places)))
    return _by_index(regions)


def _references(group: Element) -> list[str]:
    """Return the region ids of a reading order, depth first; indexed members by their index."""
    members = sorted(group, key=lambda element: int(element.get("index", "0")))
    found: list[str] = []
    for member in members:
        if member.get("regionRef"):
            found.append(member.get("regionRef", ""))
        found += _references(member)
    return found


def _by_index(elements: list[Element]) -> list[Element]:
    return sorted(elements, key=lambda element: int(_custom(_INDEX, element) or 0))


def _custom(pattern: re.Pattern[str], element: Element) -> str:
    found = pattern.search(element.get("custom", ""))
    return found[1] if found else ""


def _line(line: Element, region_type: str) -> PageLine:
    text, identity = _text(line), line.get("id", "line")
    try:
        polygon, baseline = _points(line, "Coords"), _points(line, "Baseline")
    except ValueError as error:
        return PageLine(identity, f"{text} ({error})", (), fault="damaged coordinates")
    if len(polygon) < 3:
        return PageLine(identity, text, (), fault="no polygon and no box")
    return PageLine(identity, text, polygon, baseline, _custom(_TYPE, line), region_type)


def _points(line: Element, name: str) -> Points:
    """Return the points of Coords or Baseline: an attribute since 2013, elements `Point` before."""
    for element in children(line, name):
        if element.get("points"):
            return parse_points(element.get("points", ""))
        return tuple((float(point.get("x", "")), float(point.get("y", ""))) for point in children(element, "Point"))
    return ()


def _text(line: Element) -> str:
    own = _equivalent(line)
    if own:
        return own
    return " ".join(filter(None, (_equivalent(word) for word in _by_index(children(line, "Word")))))


def _equivalent(element: Element) -> str:
    """Return the text of the first TextEquiv by index, '' where there is none."""
    found = sorted(children(element, "TextEquiv"), key=lambda item: int(item.get("index", "0")))
    for item in found[:1]:
        for part in (*children(item, "Unicode"), *children(item, "PlainText")):
            return part.text or ""
    return ""
