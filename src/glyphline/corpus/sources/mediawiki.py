"""Articles of a MediaWiki XML dump (Wikipedia and its sisters), streamed, markup removed by mwparserfromhell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

import regex

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop
from glyphline.settings import InputError

# What has no running text in it: removed before parsing, as the parser keeps their contents.
_TABLE = regex.compile(r"\{\|(?:(?!\{\||\|\}).)*+\|\}", regex.DOTALL)
_HIDDEN = regex.compile(
    r"<(ref|math|gallery|timeline|score|syntaxhighlight|source|code|pre|chem|imagemap|hiero)\b(?:[^<>]*/>|[^<>]*>.*?</\1\s*>)",
    regex.DOTALL | regex.IGNORECASE,
)
_HEADING = regex.compile(r"^=+.*=+\s*$", regex.MULTILINE)
_ITEM = regex.compile(r"^[*#:;]+\s*", regex.MULTILINE)
_SWITCH = regex.compile(r"__[A-Z]+__|'{2,}")
_EMPTY = regex.compile(r"\(\s*[,;:]?\s*\)|（\s*）")


@dataclass
class Dump(SourceSettings):
    """Settings of the source."""

    namespaces: list[str] = field(default_factory=lambda: ["0"])
    """Namespaces to read; 0 holds the articles."""


def read(settings: Dump, files: Files) -> Iterator[str | Drop]:
    """Yield the wikitext of all articles in order; redirects and other namespaces are no documents."""
    for path in files.paths:
        with files.binary(path) as handle:
            try:
                yield from _pages(handle, set(settings.namespaces))
            except ElementTree.ParseError as error:
                raise InputError(f"{path}: not a whole MediaWiki dump ({error})") from error


def _pages(handle: object, namespaces: set[str]) -> Iterator[str | Drop]:
    events = ElementTree.iterparse(handle, events=("start", "end"))
    _, root = next(events)
    for event, element in events:
        if event != "end" or element.tag.rpartition("}")[2] != "page":
            continue
        parts = {child.tag.rpartition("}")[2]: child for child in element.iter()}
        title = parts["title"].text if "title" in parts else "?"
        inside = parts["ns"].text in namespaces if "ns" in parts else True
        text = parts["text"].text if "text" in parts else ""
        if inside and "redirect" not in parts:
            yield text if text and text.strip() else Drop("empty", str(title), "page")
        # The tree grows page by page; without this the whole dump would be in memory.
        root.clear()


def clean(wikitext: str) -> str:
    """Return the running text of an article: no markup, tables, references, headings or templates."""
    import mwparserfromhell

    text, tables = wikitext, 1
    while tables:
        text, tables = _TABLE.subn("", text)
    text = _HEADING.sub("", _HIDDEN.sub("", text))
    code = mwparserfromhell.parse(text)
    for link in code.filter_wikilinks(recursive=True):
        # [[File:…]], [[Category:…]] and links between languages carry captions and names, not running text.
        if ":" in str(link.title):
            _remove(code, link)
    text = code.strip_code(normalize=True, collapse=True)
    text = _EMPTY.sub("", _ITEM.sub("", _SWITCH.sub("", text)))
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _remove(code: object, node: object) -> None:
    """Remove a node that may have gone with one around it."""
    import contextlib

    with contextlib.suppress(ValueError):
        code.remove(node)


SOURCE = Source(
    Dump,
    read,
    licence="CC BY-SA 4.0",
    address="https://dumps.wikimedia.org",
    suffixes=(".xml",),
    clean=clean,
)
