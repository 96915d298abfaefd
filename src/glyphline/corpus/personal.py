"""Personal data in running text: e-mail addresses, phone numbers, resident and card numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import regex

from glyphline.corpus.batch import Batch, Property

_PATTERNS = (
    # ASCII alone: Korean words stand close to an address, and @ is also an ornament between them.
    r"[A-Za-z0-9][A-Za-z0-9_.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    # International numbers, then Korean mobile, area and service numbers.
    r"(?<![\d+])\+\d{1,3}[ .()-]{0,2}\d(?:[ .()-]?\d){6,12}(?!\d)",
    r"(?<!\d)01[016789][ .-]?\d{3,4}[ .-]?\d{4}(?!\d)",
    r"(?<!\d)\(?0\d{1,2}\)?[ .-]\d{3,4}[ .-]\d{4}(?!\d)",
    # Not two years, as in 1839-1842.
    r"(?<!\d)(?:15|16|18)\d{2}-(?!1[0-9]\d{2}(?!\d)|20\d{2}(?!\d))\d{4}(?!\d)",
    # Korean resident registration numbers: a date of birth, then a digit for century and sex.
    r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?[1-8]\d{6}(?!\d)",
    r"(?<!\d)(?:\d{4}[ -]){3}\d{4}(?!\d)",
)
_PERSONAL = regex.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))
_SIGN = regex.compile(r"[\p{L}\p{N}]")
_AT, _DIGIT = Property(regex.compile("@")), Property(regex.compile(r"\d"))
FEWEST_DIGITS = 8
"""Of all numbers that are looked for."""


def suspects(batch: Batch) -> np.ndarray:
    """Return which texts must be looked at, bool `(texts,)`: the others hold no personal data for sure."""
    return batch.having(_AT(batch.codes)) | (batch.count(_DIGIT(batch.codes)) >= FEWEST_DIGITS)


def has_personal_data(text: str) -> bool:
    """Tell whether the text holds an e-mail address, a phone, resident or card number."""
    return _PERSONAL.search(text) is not None


def mask(text: str) -> tuple[str, int]:
    """Replace every letter and digit of personal data by `*`; return the text and how many places were masked.

    The separators stay, so a masked number still looks like one: `***-****-****`.
    """
    return _PERSONAL.subn(lambda found: _SIGN.sub("*", found[0]), text)


def mask_all(texts: Sequence[str]) -> tuple[list[str], int]:
    """Return `mask` of each text, and how many places were masked."""
    masked, places = list(texts), 0
    for number in np.flatnonzero(suspects(Batch(texts))).tolist():
        masked[number], count = mask(texts[number])
        places += count
    return masked, places
