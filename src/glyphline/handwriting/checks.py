"""What is looked at in every line before it is believed: picture, text, and whether the two fit."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import regex

from glyphline import images
from glyphline.handwriting.alike import looks_of
from glyphline.handwriting.pictures import Shape, prepared
from glyphline.handwriting.raw import RawLine
from glyphline.records import Drop
from glyphline.settings import InputError
from glyphline.text import TextRules, graphemes, normalise

logger = logging.getLogger(__name__)


@dataclass
class Checks:
    """Bounds beyond which a line is dropped; each drop is counted by its reason and listed."""

    least_side_px: int = 8
    """Pictures lower or narrower than this hold no line."""
    least_contrast: int = 24
    """Difference of the 99.5th and the 0.5th percentile of grey below which a picture is blank."""
    least_ink: float = 0.0005
    """Share of dark pixels (half-way between paper and darkest ink) below which a picture is blank."""
    width_outlier: float = 6.0
    """Lines whose width per character is this many robust standard deviations from the set's median are dropped: the
    text belongs to another picture, or a piece is missing. 0 for no check."""
    most_characters: int = 0
    """Longest text, in characters; 0 for no limit."""
    skip_text: list[str] = field(default_factory=list)
    """Regular expressions; a line whose text matches one is dropped: for marks of struck or unreadable words."""
    class_labels: Literal["refuse", "warn", "off"] = "refuse"
    """What to do when most texts look like names of classes and not like writing."""

    def __post_init__(self) -> None:
        """Check the patterns."""
        for pattern in self.skip_text:
            try:
                regex.compile(pattern)
            except regex.error as error:
                raise InputError(f"checks.skip_text {pattern!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class Inspection:
    """What became known of one line: `reason` and `detail` are set where it cannot be used."""

    text: str = ""
    width_px: int = 0
    height_px: int = 0
    digest: str = ""
    reason: str = ""
    detail: str = ""
    looks: int = 0


def inspect(line: RawLine, rules: TextRules, checks: Checks, shape: Shape) -> Inspection:
    """Open one line and check what can be checked of it alone; pixels are hashed after cropping, as grey."""
    text = normalise(line.text, rules)
    reason, detail = _text_fault(text, checks), line.text[:80]
    if reason:
        return Inspection(text, reason=reason, detail=detail)
    try:
        image = prepared(line.picture, shape)
    except InputError as error:
        return Inspection(text, reason="unreadable picture", detail=str(error))
    height, width = image.shape[:2]
    digest = hashlib.sha256(f"{height}x{width}:".encode() + images.to_grey(image).tobytes()).hexdigest()
    reason, detail = _picture_fault(image, checks)
    return Inspection(text, width, height, digest, reason, detail, looks_of(image))


def _text_fault(text: str, checks: Checks) -> str:
    if not text:
        return "empty text"
    if checks.most_characters and len(graphemes(text)) > checks.most_characters:
        return "text too long"
    if any(regex.search(pattern, text) for pattern in checks.skip_text):
        return "text matches skip_text"
    return ""


def _picture_fault(image: np.ndarray, checks: Checks) -> tuple[str, str]:
    height, width = image.shape[:2]
    if min(height, width) < checks.least_side_px:
        return "picture too small", f"{width}×{height} px"
    reached = np.cumsum(np.bincount(images.to_grey(image).ravel(), minlength=256)) / (height * width)
    low, high = (int(np.searchsorted(reached, share)) for share in (0.005, 0.995))
    if high - low < checks.least_contrast:
        return "blank picture", f"contrast {high - low}"
    ink = float(reached[(low + high) // 2])
    if min(ink, 1 - ink) < checks.least_ink:
        return "blank picture", f"ink {ink:.5f}"
    return "", ""


def find_outliers(items: Sequence[Inspection], bound: float) -> dict[int, str]:
    """Return the positions whose width per character is far off the median of the set, with the figures.

    The measure is log(width / height / characters), its spread the median absolute deviation. Too much text for the
    width is judged from five characters on, too little only from twenty: headings and capitals are set wide.
    """
    lengths = {k: len(graphemes(item.text)) for k, item in enumerate(items) if not item.reason}
    measured = {k: np.log(items[k].width_px / items[k].height_px / n) for k, n in lengths.items() if n >= 5}
    if bound <= 0 or len(measured) < 20:
        return {}
    values = np.fromiter(measured.values(), np.float64)
    middle = float(np.median(values))
    spread = max(1.4826 * float(np.median(np.abs(values - middle))), 0.05)
    far = {
        k: (value - middle) / spread
        for k, value in measured.items()
        if value - middle < -bound * spread or (value - middle > bound * spread and lengths[k] >= 20)
    }
    return {
        k: f"{np.exp(measured[k]):.3f} heights a character ({deviation:+.1f} deviations), the set's median is "
        f"{np.exp(middle):.3f}: {items[k].text[:60]}"
        for k, deviation in far.items()
    }


_CLASS = regex.compile(
    r"^(?:[A-Za-z]+\d+,)?(?:Img|img|class|label|region|zone)?\d*[_.:/-]?[A-Za-z]*_[A-Za-z][A-Za-z ]*$|^\d+_[A-Za-z ]+$"
)


def look_like_classes(texts: Iterable[str]) -> str:
    """Return why the texts look like names of classes, or ''.

    Either most have the form of an identifier (`R38,Img100_header`, `182_Scope of deed`, `text_line`), or few
    different texts make up a large set, as `header` and `paragraph` do: no running text repeats itself so.
    """
    texts = [text for text in texts if text]
    if len(texts) < 10:
        return ""
    formed = [text for text in texts if _CLASS.match(text)]
    if len(formed) > len(texts) / 2:
        return f"{len(formed)} of {len(texts)} texts have the form of an identifier, e.g. {formed[0]!r}"
    different = Counter(texts)
    if len(texts) >= 50 and len(different) <= len(texts) / 20 and all(len(text) > 1 for text in different):
        common = ", ".join(repr(text) for text, _ in different.most_common(3))
        return f"{len(texts)} lines have only {len(different)} different texts, e.g. {common}"
    return ""


def judge_labels(texts: Iterable[str], policy: str) -> None:
    """Refuse, or warn of, a set whose texts look like classes. InputError says which texts and what to do."""
    why = look_like_classes(texts) if policy != "off" else ""
    if why and policy == "refuse":
        raise InputError(
            f"labels look like classes, not writing: {why}; use checks.class_labels: warn if they are text"
        )
    if why:
        logger.warning("labels look like classes, not writing: %s", why)


def find_duplicates(lines: Sequence[RawLine], items: Sequence[Inspection]) -> dict[int, Drop]:
    """Return the later lines whose picture was there before, with or without the same text, and repeated ids.

    Same picture in different splits of the set's own is no duplicate but a leak: `splits.find_leaks` judges it.
    """
    seen: dict[tuple[str, str], int] = {}
    names: dict[str, int] = {}
    found: dict[int, Drop] = {}
    for position, (line, item) in enumerate(zip(lines, items, strict=True)):
        if item.reason:
            continue
        if line.id in names:
            found[position] = Drop("id occurs twice", line.id, item.text[:80])
            continue
        names[line.id] = position
        first = seen.setdefault((item.digest, line.split), position)
        if first == position:
            continue
        same = items[first].text == item.text
        reason = "picture occurs twice" if same else "picture occurs twice with another text"
        found[position] = Drop(
            reason, line.id, f"as {lines[first].id}" + ("" if same else f": {items[first].text[:60]}")
        )
    return found
