"""Font files: their facts, and which characters they really have ink for. Slow to find out, so kept on disk."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from glyphline.settings import InputError

log = logging.getLogger(__name__)

FACTS_VERSION = 3
"""Counts changes of what is recorded about a font; older records on disk are made again."""

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
PROBE_PX = 24
"""Size at which ink is looked for: large enough for a full stop, small enough for 17,000 glyphs."""

PLACEHOLDER_SHARED = 16
"""Code points that look all the same are a placeholder, not letters, from this number on."""

_HAND = re.compile(
    r"\bhand|handwrit|\bscript\b|\bpen\b|brush|gaegu|melody|kirang|yeonsung|pilgi|gungseo"
    r"|kristi|breip|ecolier|becausewe|because we|humor|gamja|poor.?story|single.?day|cute.?font|dokdo|dongle"
    r"|black.?and.?white.?picture",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Face:
    """One face of a font file and the facts that choosing needs. Equal files have equal `sha256`."""

    path: str
    """Where the file lies; no part of its identity."""
    index: int
    """Number of the face within a collection."""
    sha256: str
    """Of the file."""
    family: str
    """Typographic family."""
    style: str
    """Typographic style, such as Bold Italic."""
    weight: int
    """100 to 900."""
    italic: bool
    """Whether it slants."""
    kind: Literal["print", "hand"]
    """Printed or handwriting, by PANOSE and name."""
    licence: str
    """What the font says about its licence; empty where it says nothing."""
    ranges: tuple[tuple[int, int], ...]
    """First and last code points with ink of their own, in order."""
    blank: tuple[tuple[int, int], ...]
    """Ranges that the character map promises and the glyphs do not keep: no ink, or the box of .notdef."""

    @functools.cached_property
    def key(self) -> str:
        """Short identity for provenance: family, style and digest."""
        return f"{self.family} {self.style} {self.sha256[:12]}#{self.index}"


def is_invisible(char: str) -> bool:
    """Tell whether a character has no ink of its own by right: spaces, joiners, variation selectors, controls."""
    return char.isspace() or unicodedata.category(char) in ("Cf", "Zs", "Zl", "Zp") or char in _IGNORABLE


_IGNORABLE = frozenset(
    [chr(code) for code in (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)]
    + [chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))]
)


def font_files(folders: Sequence[str]) -> list[Path]:
    """Return the font files in folders (searched through) or among files, sorted. InputError for a missing one."""
    found: dict[Path, None] = {}
    for folder in folders or system_folders():
        place = Path(folder).expanduser()
        if place.is_file():
            found[place] = None
        elif place.is_dir():
            found |= {file: None for file in sorted(place.rglob("*")) if file.suffix.lower() in SUFFIXES}
        else:
            raise InputError(f"fonts: {folder}: no such file or folder")
    return sorted(found, key=lambda file: (file.name, str(file)))


def system_folders() -> list[str]:
    """Return the folders where this system keeps fonts, those that exist."""
    home = Path.home()
    candidates = {
        "darwin": [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"],
        "win32": [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"],
    }.get(
        sys.platform,
        [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts", home / ".fonts"],
    )
    return [str(folder) for folder in candidates if folder.is_dir()]


def read_faces(file: Path) -> list[Face]:
    """Return the faces of a font file, from the record on disk where there is one. InputError where it is no font."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"font {file}: cannot be read ({error.strerror})") from error
    sha256 = hashlib.sha256(data).hexdigest()
    record = cache_folder() / "fonts" / f"{sha256}-{FACTS_VERSION}.json"
    facts = _read_record(record)
    if facts is None:
        facts = [_examine(data, index, file) for index in range(_count(data, file))]
        _write_record(record, facts)
    return [_to_face(file, index, sha256, fact) for index, fact in enumerate(facts)]


def _to_face(file: Path, index: int, sha256: str, fact: dict[str, Any]) -> Face:
    pairs = {key: tuple((first, last) for first, last in fact[key]) for key in ("ranges", "blank")}
    kind = "hand" if fact["hand"] or _HAND.search(f"{fact['family']} {file.name}") else "print"
    rest = {key: value for key, value in fact.items() if key not in ("ranges", "blank", "hand")}
    return Face(path=str(file), index=index, sha256=sha256, kind=kind, **rest, **pairs)


def cache_folder() -> Path:
    """Return the folder for records that can be made again: GLYPHLINE_CACHE, or the user's cache folder."""
    own = os.environ.get("GLYPHLINE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "glyphline"


def _read_record(record: Path) -> list[dict[str, Any]] | None:
    try:
        return json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_record(record: Path, facts: list[dict[str, Any]]) -> None:
    """Keep a record whole or not at all; a folder that cannot be written only costs time."""
    beside = record.with_suffix(f".{os.getpid()}.part")
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(facts), encoding="utf-8")
        beside.replace(record)
    except OSError as error:
        log.debug("font record %s not kept: %s", record, error)


def _count(data: bytes, file: Path) -> int:
    """Return the number of faces in a font file's bytes. InputError where HarfBuzz finds none."""
    import uharfbuzz as hb

    face = hb.Face(hb.Blob(data))
    if face.glyph_count == 0 or not face.unicodes:
        raise InputError(f"font {file}: damaged or not a font (no glyphs or no character map); remove it")
    return _collection_size(data)


def _collection_size(data: bytes) -> int:
    """Return numFonts of a TrueType collection's header, 1 for a single font."""
    return int.from_bytes(data[8:12], "big") if data[:4] == b"ttcf" else 1


def _examine(data: bytes, index: int, file: Path) -> dict[str, Any]:
    """Find out the facts of one face that do not depend on where it lies."""
    import io

    from fontTools.ttLib import TTFont, TTLibError

    try:
        font = TTFont(io.BytesIO(data), fontNumber=index, lazy=True)
        names, os2 = font["name"], font.get("OS/2")
        family = names.getBestFamilyName() or file.stem
        facts = {
            "family": family,
            "style": names.getBestSubFamilyName() or "Regular",
            "weight": int(getattr(os2, "usWeightClass", 400) or 400),
            "italic": bool(getattr(os2, "fsSelection", 0) & 1),
            "licence": " ".join(str(names.getDebugName(13) or names.getDebugName(14) or "").split())[:200],
            # PANOSE family type 3 is "Latin Hand Written".
            "hand": bool(os2 and getattr(os2.panose, "bFamilyType", 0) == 3),
        }
    except (TTLibError, KeyError, AttributeError, ValueError, AssertionError, OSError, EOFError) as error:
        raise InputError(f"font {file}: damaged ({type(error).__name__}: {error}); remove it") from error
    except Exception as error:  # fontTools raises struct.error and others on damaged tables
        raise InputError(f"font {file}: damaged ({type(error).__name__}); remove it") from error
    covered, blank = probe(data, index)
    return facts | {"ranges": to_ranges(covered), "blank": to_ranges(blank)}


def probe(data: bytes, index: int = 0) -> tuple[list[int], list[int]]:
    """Return the code points of a face's character map that have ink of their own, and those that only promise it."""
    import uharfbuzz as hb

    face = hb.Face(hb.Blob(data), index)
    font = hb.Font(face)
    font.scale = (PROBE_PX * 64, PROBE_PX * 64)
    draw = hb.RasterDraw()
    draw.scale_factor = (64, 64)
    glyphs = {code: font.get_nominal_glyph(code) or 0 for code in face.unicodes}
    looks = {glyph: _look(draw, font, glyph) for glyph in {0, *glyphs.values()}}
    shared = Counter(looks[glyph] for glyph in glyphs.values())
    covered, blank = [], []
    for code, glyph in glyphs.items():
        look = looks[glyph]
        placeholder = look == looks[0] or shared[look] >= PLACEHOLDER_SHARED
        good = is_invisible(chr(code)) if look is None else glyph and not placeholder
        (covered if good else blank).append(code)
    return covered, blank


def _look(draw: Any, font: Any, glyph: int) -> tuple | None:  # noqa: ANN401
    """Return what a glyph looks like at the probing size, None where it has no ink."""
    draw.draw_glyph(font, glyph)
    image = draw.render()
    if image is None or image.extents is None or not image.extents.width or not any(image.buffer):
        return None
    return image.extents.width, image.extents.height, bytes(image.buffer)


def to_ranges(codes: Sequence[int]) -> list[tuple[int, int]]:
    """Return sorted code points as (first, last) ranges."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return [(first, last) for first, last in ranges]


@functools.lru_cache(maxsize=512)
def characters(ranges: tuple[tuple[int, int], ...]) -> frozenset[str]:
    """Return the characters in ranges; the strings are shared between fonts, which keeps thirty of them small."""
    return frozenset(_char(code) for first, last in ranges for code in range(first, last + 1))


_char = functools.cache(chr)


def describe(face: Face) -> dict[str, Any]:
    """Return a face's facts as JSON-serialisable values."""
    return asdict(face)
