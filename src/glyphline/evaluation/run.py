"""The `score` command: a model and a folder of lines -> predictions, metrics and a report to look at."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from glyphline import distributed
from glyphline.evaluation.scores import BREAKDOWNS, Reader, Score, confusions, score_modes
from glyphline.manifest import Storage, digest, pretty, read_lines, read_manifest
from glyphline.models import pick_device
from glyphline.records import Sample
from glyphline.settings import InputError, command, execution, identity
from glyphline.text import VERSION as RULES_VERSION
from glyphline.text import TextRules

logger = logging.getLogger(__name__)

MOST_INTERVALS = 60
"""Break-downs into more parts than this come without intervals: thousands of small bootstraps take minutes."""
METRICS, PREDICTIONS, REPORT = "metrics.json", "predictions.jsonl", "report.html"


@dataclass
class ScoreSettings:
    """What is scored and what the report shows."""

    model: str = execution("")
    """Model folder, or name on the hub."""
    lines: str = execution("")
    """Folder of lines, from `render` or `prepare`."""
    split: str = "test"
    """Split to read: train, validation, test, or all."""
    output: str = execution("")
    """Folder for metrics.json, predictions.jsonl and report.html."""
    modes: list[str] = field(default_factory=list)
    """Ways of reading, each scored by itself; all that the model has where none is named."""
    limit: int = 0
    """Read only the first so many lines; 0 reads all."""
    resamples: int = 1000
    """Bootstrap resamples of the 95 % intervals; 0 leaves the intervals out."""
    resample: Literal["line", "group"] = "line"
    """What a resample draws: lines, or whole groups (writers, pages), which gives honest intervals for few hands."""
    seed: int = 0
    """Seed of the resamples and of the random lines in the report."""
    against: str = ""
    """predictions.jsonl of another model on the same lines, for a paired comparison."""
    worst: int = 40
    """How many of the worst lines the report shows."""
    random: int = 20
    """How many random lines the report shows."""
    device: str = execution("auto")
    """auto, cpu or cuda."""
    chunk: int = execution(256)
    """Lines held in memory at a time."""

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        for name in ("resamples", "limit", "worst", "random"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must not be negative")
        if self.chunk < 1:
            raise InputError(f"chunk is {self.chunk}; at least 1 line")


@command(
    ScoreSettings,
    name="score",
    example="glyphline score --model out/stage2 --lines out/handwriting --split test --output out/score",
    aliases={"--weights": "--model", "--dataset": "--lines", "--data": "--lines"},
)
def main(settings: ScoreSettings) -> None:
    """Read the lines of one split with a model; write metrics.json, predictions.jsonl and report.html."""
    for name in ("model", "lines", "output"):
        if not getattr(settings, name):
            raise InputError(f"--{name} is missing")
    inputs = {"lines": read_manifest(settings.lines, "lines").hash, "model": model_hash(settings.model)}
    if settings.against:
        inputs["against"] = _file_hash(settings.against)
    distributed.join(on_cpu=pick_device(settings.device) == "cpu")
    key = {"settings": identity(settings) | {"against": bool(settings.against)}, "inputs": inputs}
    if distributed.decide(lambda: _finished(settings.output, key)):
        logger.info("%s: already scored under these settings", settings.output)
        metrics = json.loads(Storage(settings.output).read(METRICS))
    else:
        from glyphline.models import load_recogniser

        metrics = score_folder(load_recogniser(settings.model, settings.device), settings, key)
    if distributed.is_main():
        sys.stdout.write(table(metrics) + f"\nreport: {settings.output.rstrip('/')}/{REPORT}\n")


def score_folder(reader: Reader, settings: ScoreSettings, key: dict[str, Any] | None = None) -> dict[str, Any]:
    """Score every mode of `reader`, write the three files, and return what metrics.json says.

    The processes of a torchrun job read a share of the lines each; the main one writes.
    """
    from glyphline.evaluation.report import write_report

    modes = settings.modes or list(reader.modes) or ["auto"]
    unknown = [mode for mode in modes if mode not in (*reader.modes, "auto")]
    if unknown:
        raise InputError(f"mode {unknown[0]!r}: this model reads by {', '.join(reader.modes)}")
    scores = list(score_modes(reader, _progress(settings), modes, chunk=settings.chunk).values())
    if not scores[0].lines:
        raise InputError(f"{settings.lines}: no lines in split {settings.split!r}; name another with --split")
    metrics = {"settings": {}, "inputs": {}} | (key or {})
    metrics |= {
        "lines": len(scores[0].lines),
        "split": settings.split,
        "rules": asdict(reader.rules) | {"version": RULES_VERSION},
        "model": Path(settings.model).name,
        "modes": {score.mode: describe(score, settings) for score in scores},
        "comparisons": _comparisons(scores, settings, reader.rules),
    }
    if not distributed.is_main():
        return metrics
    storage = Storage(settings.output)
    storage.write(PREDICTIONS, "".join(_predictions(scores)).encode())
    storage.write(REPORT, write_report(scores, metrics, lambda: _samples(settings), settings).encode())
    storage.write(METRICS, pretty(metrics).encode())
    return metrics


def _samples(settings: ScoreSettings) -> Iterable[Sample]:
    samples = read_lines(settings.lines, None if settings.split == "all" else settings.split)
    return islice(samples, settings.limit) if settings.limit else samples


def _progress(settings: ScoreSettings) -> Iterator[Sample]:
    from tqdm import tqdm

    yield from tqdm(_samples(settings), desc="reading", unit=" lines", disable=None)


def describe(score: Score, settings: ScoreSettings) -> dict[str, Any]:
    """Return one mode's figures as they stand in metrics.json: overall and by every break-down, with intervals."""
    by_group = settings.resample == "group"

    def figures(part: Score, resamples: int) -> dict[str, Any]:
        measures = part.measures(by_group=by_group, resamples=resamples, seed=settings.seed)
        return {"lines": len(part.lines)} | {name: asdict(measure) for name, measure in measures.items()}

    result: dict[str, Any] = {"overall": figures(score, settings.resamples)}
    for name, key in BREAKDOWNS.items():
        parts = score.split(key)
        if len(parts) == len(score.lines) > 1 or name == "page" and len(parts) == 1:
            continue  # each line by itself, as with groups that nobody declared: says nothing that predictions do not
        resamples = settings.resamples if len(parts) <= MOST_INTERVALS else 0
        result[f"by_{name}"] = {value: figures(part, resamples) for value, part in parts.items()}
    return result | {"confusions": confusions(score.lines)}


def _comparisons(scores: list[Score], settings: ScoreSettings, rules: TextRules) -> list[dict[str, Any]]:
    """Compare every mode with the first, and all with the predictions that `against` names."""
    from glyphline.evaluation.metrics import compare
    from glyphline.evaluation.predictions import read_predictions

    pairs = [(scores[0], other, "") for other in scores[1:]]
    if settings.against:
        theirs = read_predictions(settings.against, [line.id for line in scores[0].lines], rules)
        pairs += [(other, score, "other model: ") for other in theirs for score in scores]
    rows = []
    for first, second, prefix in pairs:
        groups = [line.group for line in second.lines] if settings.resample == "group" else ()
        try:
            for measure in ("cer", "wer"):
                ours, theirs_ = ([line.errors for line in score.lines] for score in (first, second))
                found = compare(ours, theirs_, measure=measure, groups=groups, seed=settings.seed)
                rows.append(asdict(found) | {"first_mode": prefix + first.mode, "second_mode": second.mode})
        except ValueError as error:
            raise InputError(f"{settings.against}: {error}") from error
    return rows


def _predictions(scores: list[Score]) -> Iterator[str]:
    from glyphline.evaluation.predictions import to_json

    for score in scores:
        for line in score.lines:
            yield to_json(line, score.mode) + "\n"


def model_hash(name: str) -> str:
    """Return a hash of a model's files: weights, configuration and tokenizer; run records beside them do not count."""
    from glyphline.models import model_folder

    folder = Path(model_folder(name))
    wanted = [path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".safetensors", ".model", ".txt")]
    return digest({path.name: _file_hash(path) for path in wanted})


def _file_hash(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _finished(folder: str, key: dict[str, Any]) -> bool:
    """Tell whether the folder holds this very score. InputError where it holds another one or somebody's files."""
    storage = Storage(folder)
    if not storage.exists(METRICS):
        strangers = [name for name in storage.names() if name not in (PREDICTIONS, REPORT) and name[0] != "."]
        if strangers:
            raise InputError(f"{folder}: not empty and not made by score ({strangers[0]!r}); name another folder")
        return False
    try:
        old = json.loads(storage.read(METRICS))
    except ValueError as error:
        raise InputError(f"{folder}/{METRICS}: damaged ({error}); delete it") from error
    now = json.loads(json.dumps(key))
    for part in ("settings", "inputs"):
        before = old.get(part, {})
        differing = [name for name in now[part] | before if now[part].get(name) != before.get(name)]
        if differing:
            what = differing[0] if part == "settings" else f"another {differing[0]}"
            raise InputError(f"{folder}: scored with other settings ({what}); name another folder or delete this one")
    return True


def table(metrics: dict[str, Any]) -> str:
    """Return the headline as a text table: one row a mode."""
    rows = [f"{'mode':<12}{'lines':>8}{'CER':>8}{'95 %':>16}{'WER':>8}{'95 %':>16}{'exact':>8}"]
    for mode, figures in metrics["modes"].items():
        overall = figures["overall"]
        cells = [f"{mode:<12}{overall['lines']:>8}"]
        for name in ("cer", "wer"):
            cells.append(f"{overall[name]['value']:>8.3f}{interval(overall[name]):>16}")
        rows.append("".join(cells) + f"{overall['exact']['value']:>8.3f}")
    return "\n".join(rows)


def interval(measure: dict[str, Any]) -> str:
    """Return a measure's interval for a table, or nothing where it has none."""
    return "" if measure["low"] is None else f"{measure['low']:.3f}–{measure['high']:.3f}"


if __name__ == "__main__":
    sys.exit(main())
