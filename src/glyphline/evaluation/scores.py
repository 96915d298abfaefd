"""Reading samples with a recogniser and counting what is wrong: the part of scoring that training calls too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import numpy as np
import regex

from glyphline import distributed
from glyphline.evaluation.metrics import LineErrors, Measure, count_errors, summarise
from glyphline.records import Reading, Sample
from glyphline.text import TextRules, graphemes, normalise

LENGTHS = (5, 10, 20, 40, 80)
"""Upper ends of the length buckets, in graphemes of the reference."""


class Reader(Protocol):
    """What scoring needs of a model: `glyphline.models.load_recogniser` returns one."""

    @property
    def rules(self) -> TextRules:
        """Text rules for both sides."""

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways of reading."""

    def read_modes(self, images: Sequence[np.ndarray], modes: Sequence[str]) -> dict[str, list[Reading]]:
        """Read uint8 pictures by each mode, in input order."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """One line as it was read; texts are normalised by the model's rules, `group` is its writer, page or font.

    `page` is set where lines of one group (a writer) come from several pages.
    """

    id: str
    reference: str
    prediction: str
    confidence: float
    language: str
    source: str
    group: str
    errors: LineErrors
    page: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """All lines as one mode read them, in the order of the samples."""

    mode: str
    lines: list[LineResult] = field(default_factory=list)

    def measures(self, *, by_group: bool = False, resamples: int = 0, seed: int = 0) -> dict[str, Measure]:
        """Return every measure of `metrics.summarise`; `by_group` draws writers instead of lines for the intervals."""
        groups = [line.group for line in self.lines] if by_group else ()
        return summarise([line.errors for line in self.lines], groups=groups, resamples=resamples, seed=seed)

    def value(self, measure: str) -> float:
        """Return one measure without an interval; 0 where there are no lines."""
        measures = self.measures()
        return measures[measure].value if measure in measures else 0.0

    @property
    def cer(self) -> float:
        """Corpus-level character error rate over graphemes: lower is better."""
        return self.value("cer")

    @property
    def wer(self) -> float:
        """Corpus-level word error rate over white-space words: lower is better."""
        return self.value("wer")

    @property
    def exact(self) -> float:
        """Share of lines read without an error."""
        return self.value("exact")

    def split(self, key: Callable[[LineResult], str]) -> dict[str, Score]:
        """Return the score of each value of `key`, in the order of the keys."""
        parts: dict[str, list[LineResult]] = defaultdict(list)
        for line in self.lines:
            parts[key(line)].append(line)
        return {name: Score(self.mode, parts[name]) for name in sorted(parts)}


def score_samples(
    recogniser: Reader, samples: Iterable[Sample], mode: str = "auto", *, chunk: int = 256, sharded: bool = False
) -> Score:
    """Read `samples` by one mode and score them; see `score_modes`."""
    return score_modes(recogniser, samples, (mode,), chunk=chunk, sharded=sharded)[mode]


def score_modes(
    recogniser: Reader, samples: Iterable[Sample], modes: Sequence[str], *, chunk: int = 256, sharded: bool = False
) -> dict[str, Score]:
    """Read `samples` by several modes at the price of one; complete and the same on every process of a job.

    Without `sharded` each process is given all samples and reads every world-size-th. With it each process is given
    its own share; a line that a sampler handed out twice (padding) is counted once, by its id.
    """
    rank, size = distributed.rank(), distributed.world_size()
    numbered = enumerate(samples)
    mine = numbered if sharded else ((i, sample) for i, sample in numbered if i % size == rank)
    read: list[tuple[Any, list[LineResult]]] = []
    for part in _chunks(mine, chunk):
        readings = recogniser.read_modes([sample.image for _, sample in part], modes)
        for place, (index, sample) in enumerate(part):
            results = [line_result(sample, readings[mode][place], recogniser.rules) for mode in modes]
            read.append((sample.id if sharded else index, results))
    everywhere = dict(distributed.gather(read))
    keys = everywhere if sharded else sorted(everywhere)
    return {mode: Score(mode, [everywhere[key][number] for key in keys]) for number, mode in enumerate(modes)}


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def line_result(sample: Sample, reading: Reading, rules: TextRules) -> LineResult:
    """Compare one reading with its sample's text, both under `rules`."""
    reference, prediction = normalise(sample.text, rules), normalise(reading.text, rules)
    return LineResult(
        sample.id,
        reference,
        prediction,
        float(reading.confidence),
        sample.language,
        sample.source,
        group_of(sample),
        count_errors(sample.text, reading.text, rules),
        str(sample.provenance.get("form") or sample.provenance.get("page") or ""),
    )


def group_of(sample: Sample) -> str:
    """Return the writer, page or document of a real line, the font of a rendered one, else its own id."""
    for key in ("group", "writer", "page", "document", "font"):
        if sample.provenance.get(key):
            return str(sample.provenance[key])
    return sample.id


def length_bucket(line: LineResult) -> str:
    """Return the length bucket of a reference, named so that names sort by length: '06-10'."""
    length, low = len(graphemes(line.reference)), 0
    for high in LENGTHS:
        if length <= high:
            return f"{low:02d}-{high:02d}"
        low = high + 1
    return f"{low:02d} and more"


_SCRIPTS = (  # noqa: SIM905 - thirty quoted names on thirty lines are no easier to read
    "Latin Hangul Han Hiragana Katakana Greek Cyrillic Arabic Hebrew Devanagari Bengali Gurmukhi Gujarati Oriya Tamil "
    "Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Georgian Armenian Ethiopic Cherokee Mongolian"
).split()
_SCRIPT = {name: regex.compile(rf"\p{{Script={name}}}") for name in _SCRIPTS}


def script_of(line: LineResult) -> str:
    """Return the Unicode script of most letters of the reference; 'Common' for digits and signs alone."""
    letters = [character for character in line.reference if character.isalpha()]
    if not letters:
        return "Common"
    if all(letter.isascii() for letter in letters):
        return "Latin"
    found = Counter({name: len(pattern.findall("".join(letters))) for name, pattern in _SCRIPT.items()})
    name, count = found.most_common(1)[0]
    return name if count else "Other"


BREAKDOWNS: dict[str, Callable[[LineResult], str]] = {
    "source": lambda line: line.source,
    "language": lambda line: line.language,
    "script": script_of,
    "length": length_bucket,
    "group": lambda line: line.group,
    "page": lambda line: line.page,
}
"""By what the overall figures are broken down."""


def confusions(lines: Sequence[LineResult], top: int = 40) -> list[tuple[str, str, int]]:
    """Return the most frequent (reference, reading, count) edits over graphemes; '' stands for nothing.

    Edits come from one shortest alignment per line; where several are shortest, rapidfuzz's choice counts.
    """
    from rapidfuzz.distance import Levenshtein

    seen: Counter[tuple[str, str]] = Counter()
    for line in lines:
        ours, theirs = graphemes(line.reference), graphemes(line.prediction)
        for kind, i, j in Levenshtein.editops(ours, theirs):
            seen[(ours[i] if kind != "insert" else "", theirs[j] if kind != "delete" else "")] += 1
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return [(reference, prediction, count) for (reference, prediction), count in ranked[:top]]
