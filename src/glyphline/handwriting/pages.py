"""What the readers of page XML (ALTO, PAGE) share: finding files and pictures, groups, and the lines of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from glyphline.handwriting.crops import Cropping, Points, page_picture
from glyphline.handwriting.raw import PICTURES, RawLine, folder
from glyphline.records import Drop
from glyphline.settings import InputError


@dataclass
class PageSettings:
    """Which files are read and how lines are cut."""

    root: str = ""
    """Folder of the set; XML files and pictures may lie in sub-folders."""
    pattern: str = "*.xml"
    """Which files are read, such as `*.chocomufin.xml`. Where two describe one picture, the shorter name is taken."""
    group: str = "page"
    """What must not be in two splits: `page`, `folder`, or a regular expression whose first group is found in the
    file's path under root."""
    level: Literal["line", "page"] = "line"
    """What a sample is. A page's text has line breaks: keep them with `--rules.collapse_space lines`."""
    skip_types: list[str] = field(default_factory=list)
    """Types of lines or regions that are left out, such as `DropCapitalLine` or `page-number`."""
    crop: Cropping = field(default_factory=Cropping)
    """How lines are cut."""

    def __post_init__(self) -> None:
        """Check the group."""
        if self.group in ("page", "folder"):
            return
        try:
            if re.compile(self.group).groups < 1:
                raise InputError(f"group {self.group!r}: use page, folder, or a pattern with a (group)")
        except re.error as error:
            raise InputError(f"group {self.group!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line as a page file has it: points in the file's units, type as the file names it."""

    id: str
    text: str
    polygon: Points
    baseline: Points = ()
    type: str = ""
    region_type: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page file: `picture` as the file names it, `size` width and height in its units, lines in reading order."""

    picture: str
    size: tuple[float, float]
    lines: list[PageLine]


Parser = Callable[[ElementTree.Element], Page | None]
"""Reads a root element; None where it is another kind of file."""


def tag(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: ElementTree.Element, *names: str) -> list[ElementTree.Element]:
    """Return the children with one of the names, namespaces aside."""
    return [child for child in element if tag(child) in names]


def read_pages(settings: PageSettings, parse: Parser, kind: str) -> Iterator[RawLine | Drop]:
    """Yield the lines of every page file under root, in order. InputError where there is none of this kind."""
    root = folder(settings.root)
    taken: dict[Path, str] = {}
    found = False
    for path in sorted(root.rglob(settings.pattern), key=lambda path: (path.parent, len(path.name), path.name)):
        name = path.relative_to(root).as_posix()
        try:
            page = parse(ElementTree.parse(path).getroot())
        except (ElementTree.ParseError, ValueError, UnicodeDecodeError) as error:
            yield Drop("damaged XML", name, str(error))
            continue
        if page is None:
            yield Drop(f"not {kind}", name)
            continue
        found = True
        picture = _find_picture(path, page.picture)
        if picture is None:
            yield Drop("no picture of the page", name, page.picture)
        elif picture in taken:
            yield Drop("page described twice", name, f"as {taken[picture]}")
        else:
            taken[picture] = name
            if settings.level == "page":
                yield _whole(page, picture, name, settings)
            else:
                yield from _lines(page, picture, name, settings)
    if not found:
        raise InputError(f"{root}: no {kind} file matches {settings.pattern!r}; set reader_options.pattern")


def _find_picture(path: Path, named: str) -> Path | None:
    """Return the page's picture: as named beside the XML, by its bare name, or one with the XML's own stem."""
    bare = Path(named.replace("\\", "/")).name
    stem = path.name.split(".")[0]
    places = (path.parent, path.parent.parent, path.parent.parent / "images", path.parent / "images")
    names = [named, bare, *(f"{end_stem}{end}" for end_stem in (path.stem, stem) for end in PICTURES)]
    for place in places:
        for name in names:
            if name and (place / name).is_file():
                return (place / name).resolve()
    return None


def _whole(page: Page, picture: Path, name: str, settings: PageSettings) -> RawLine | Drop:
    """Return a page's text, lines in reading order, and the part of its picture that holds them."""
    written = [line for line in page.lines if line.text.strip() and not line.fault]
    kept = [line for line in written if not {line.type, line.region_type} & set(settings.skip_types)]
    identity = name.removesuffix(".xml")
    if not kept:
        return Drop("no lines on the page", identity)
    xs, ys = zip(*(point for line in kept for point in line.polygon), strict=True)
    box = ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
    cropped = page_picture(str(picture), box, (), page.size, Cropping(mask=False, margin_px=settings.crop.margin_px))
    known = {"file": name, "page": picture.name, "lines": len(kept), "left_out": len(page.lines) - len(kept)}
    text = "\n".join(line.text for line in kept)
    return RawLine(identity, text, cropped, _group(name, settings.group), provenance=known)


def _lines(page: Page, picture: Path, name: str, settings: PageSettings) -> Iterator[RawLine | Drop]:
    group = _group(name, settings.group)
    for position, line in enumerate(page.lines):
        identity = f"{name.removesuffix('.xml')}/{position:03d}_{line.id}"
        if line.fault:
            yield Drop(line.fault, identity, line.text[:80])
        elif line.type in settings.skip_types or line.region_type in settings.skip_types:
            yield Drop("type is left out", identity, line.type or line.region_type)
        else:
            known: dict[str, Any] = {"file": name, "page": picture.name, "line": line.id, "order": position}
            known |= {key: value for key, value in (("type", line.type), ("region_type", line.region_type)) if value}
            cropped = page_picture(str(picture), line.polygon, line.baseline, page.size, settings.crop)
            yield RawLine(identity, line.text, cropped, group, provenance=known)


def _group(name: str, how: Literal["page", "folder"] | str) -> str:
    if how == "folder":
        return Path(name).parent.as_posix()
    if how == "page":
        return name.removesuffix(".xml")
    found = re.search(how, name)
    return found[1] if found else name
