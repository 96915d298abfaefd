"""Error rates of readings, counted once per line and then summed: corpus-level, over Unicode graphemes.

Every rate is edits divided by reference length, both summed over the corpus (not a mean of per-line rates), with unit
costs for insertion, deletion and substitution (Levenshtein 1966). Both sides go through the same text rules first.
A rate without a single reference unit is 0 where nothing was read either, and 1 otherwise.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from glyphline.seeds import rng
from glyphline.text import TextRules, graphemes, normalise

_HANGUL = regex.compile(r"\p{Script=Hangul}")
_SYLLABLE = regex.compile(r"[\uac00-\ud7a3]")


def words(text: str) -> list[str]:
    """Split at white space and nowhere else: the tokenisation of WER; punctuation belongs to its word."""
    return text.split()


def without_space(text: str) -> list[str]:
    """Return the graphemes of a text without white space: for scripts and scans whose spacing is uncertain."""
    return graphemes("".join(text.split()))


def jamo(text: str) -> list[str]:
    """Split Hangul syllables into their two or three jamo, everything else into graphemes: 각 gives ㄱ ㅏ ㄱ.

    Compatibility jamo, as in ㅋㅋ, stay one unit each.
    """
    return _split_jamo(_SYLLABLE.sub(lambda found: unicodedata.normalize("NFD", found[0]), text))


def _split_jamo(text: str) -> list[str]:
    """Split into graphemes, and graphemes made of conjoining jamo further into code points."""
    units: list[str] = []
    for unit in graphemes(text):
        units.extend(unit if "\u1100" <= unit[0] <= "\u11ff" else (unit,))
    return units


def has_hangul(text: str) -> bool:
    """Tell whether a text holds any Hangul."""
    return _HANGUL.search(text) is not None


UNITS: dict[str, Callable[[str], list[str]]] = {
    "cer": graphemes,
    "wer": words,
    "cer_no_space": without_space,
    "cer_jamo": jamo,
}
"""Error rates and what they count."""

SHARES = ("exact", "normalised_distance")
"""Measures that are means over lines: exact match, and edits divided by the longer of the two texts."""


@dataclass(frozen=True, slots=True)
class LineErrors:
    """What one line contributes: edits and reference length per unit, exact match, normalised distance in [0, 1]."""

    edits: dict[str, int]
    lengths: dict[str, int]
    exact: bool
    normalised_distance: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One value with its bootstrap interval (`low` and `high` are None where none was asked for).

    For an error rate `errors` and `total` are edits and reference units; for a share they are summed over lines.
    """

    value: float
    errors: float
    total: float
    low: float | None = None
    high: float | None = None


def distance(reference: Sequence[str], prediction: Sequence[str]) -> int:
    """Return the Levenshtein distance of two sequences, by rapidfuzz."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(reference, prediction)


def count_errors(reference: str, prediction: str, rules: TextRules | None = None) -> LineErrors:
    """Count one line's errors, `rules` applied to both sides first; `cer_jamo` only where the reference has Hangul."""
    reference, prediction = normalise(reference, rules), normalise(prediction, rules)
    edits, lengths = {}, {}
    for name, split in UNITS.items():
        if name == "cer_jamo" and not has_hangul(reference):
            continue
        ours, theirs = split(reference), split(prediction)
        edits[name], lengths[name] = distance(ours, theirs), len(ours)
    longest = max(len(graphemes(reference)), len(graphemes(prediction)))
    return LineErrors(edits, lengths, reference == prediction, edits["cer"] / longest if longest else 0.0)


def rate(errors: float, total: float) -> float:
    """Return errors / total; without a reference unit 0 where there is no error and 1 otherwise."""
    return errors / total if total else float(errors > 0)


def _column(lines: Sequence[LineErrors], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numerators and the denominators of one measure, float64 `(N,)` each."""
    if name in SHARES:
        return np.asarray([getattr(line, name) for line in lines], np.float64), np.ones(len(lines))
    # Without Hangul, jamo are graphemes: the jamo rate is one of the whole corpus.
    other = "cer" if name == "cer_jamo" else name
    errors = [line.edits.get(name, line.edits[other]) for line in lines]
    totals = [line.lengths.get(name, line.lengths[other]) for line in lines]
    return np.asarray(errors, np.float64), np.asarray(totals, np.float64)


def summarise(
    lines: Sequence[LineErrors], *, groups: Sequence[str] = (), resamples: int = 1000, seed: int = 0
) -> dict[str, Measure]:
    """Return every measure over all lines with bootstrap 95 % intervals (percentiles; none for `resamples=0`).

    With `groups` (one name a line: its writer or page) whole groups are drawn instead of lines: lines of one hand
    are not independent, and an interval over lines is then too narrow (Field & Welsh 2007, cluster bootstrap).
    """
    if not lines:
        return {}
    names = [name for name in UNITS if name != "cer_jamo" or any(name in line.edits for line in lines)]
    columns = {name: _column(lines, name) for name in (*names, *SHARES)}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in columns}
    for weight in _weights(len(lines), groups, resamples, seed):
        for name, (errors, totals) in columns.items():
            drawn[name].append(_rates(errors @ weight, totals @ weight))
    result = {}
    for name, (errors, totals) in columns.items():
        top, bottom = float(errors.sum()), float(totals.sum())
        low, high = _interval(np.concatenate(drawn[name])) if resamples else (None, None)
        result[name] = Measure(rate(top, bottom), top, bottom, low, high)
    return result


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _rates(errors: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Return `rate` elementwise."""
    return np.where(totals > 0, errors / np.maximum(totals, 1e-300), (errors > 0).astype(np.float64))


def _weights(lines: int, groups: Sequence[str], resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each line is drawn in each resample: float64 `(lines, block)`, blocks small enough for memory."""
    index = np.arange(lines)
    if groups:
        if len(groups) != lines:
            raise ValueError(f"{len(groups)} groups for {lines} lines")
        names = {name: position for position, name in enumerate(sorted(set(groups)))}
        index = np.asarray([names[group] for group in groups])
    count = int(index.max()) + 1
    generator = rng(seed, "bootstrap", count)
    block = max(1, min(resamples, 2_000_000 // lines))
    for start in range(0, resamples, block):
        times = generator.multinomial(count, np.full(count, 1.0 / count), size=min(block, resamples - start))
        yield times.T[index].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison: `difference` is second minus first, with its 95 % interval.

    `p_value` is two-sided: the share of resamples, doubled, in which the difference has the other sign.
    """

    measure: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float


def compare(
    first: Sequence[LineErrors],
    second: Sequence[LineErrors],
    *,
    measure: str = "cer",
    groups: Sequence[str] = (),
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare two readers on the same lines by the paired bootstrap (Koehn 2004): both see the same resamples.

    ValueError where the two do not have the same lines.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"readings of {len(first)} and {len(second)} lines: both need the same, at least one")
    (errors_1, totals_1), (errors_2, totals_2) = _column(first, measure), _column(second, measure)
    if not np.array_equal(totals_1, totals_2):
        raise ValueError("the two readings do not have the same references in the same order")
    drawn = []
    for weight in _weights(len(first), groups, resamples, seed):
        totals = totals_1 @ weight
        drawn.append(_rates(errors_2 @ weight, totals) - _rates(errors_1 @ weight, totals))
    differences = np.concatenate(drawn)
    value_1, value_2 = rate(errors_1.sum(), totals_1.sum()), rate(errors_2.sum(), totals_2.sum())
    tail = min(float(np.mean(differences <= 0)), float(np.mean(differences >= 0)))
    low, high = _interval(differences)
    return Comparison(measure, float(value_1), float(value_2), float(value_2 - value_1), low, high, min(1.0, 2 * tail))
