"""The `prepare` command: a handwriting data set as published -> checked, leak-free line images."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from glyphline import plugins
from glyphline.handwriting import checks as checking
from glyphline.handwriting import splits as splitting
from glyphline.handwriting.checks import Checks, Inspection
from glyphline.handwriting.pictures import Shape, stored
from glyphline.handwriting.raw import RawLine
from glyphline.handwriting.splits import Splitting
from glyphline.manifest import Manifest, Output, digest, open_output, pack_lines
from glyphline.records import SPLITS, Drop, Sample
from glyphline.settings import InputError, build, command, execution, identity
from glyphline.text import VERSION as RULES_VERSION
from glyphline.text import TextRules, charset, graphemes

logger = logging.getLogger(__name__)

LINES_PER_SHARD = 1000

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class PrepareSettings:
    """Which set is read, how it is checked, divided and written."""

    reader: str = ""
    """Name of the set's layout: a file in handwriting/readers, or a module of your own with a dotted name."""
    root: str = execution("")
    """Folder of the set; for the hub its name."""
    output: str = execution("")
    """Folder for the lines."""
    reader_options: dict[str, Any] = field(default_factory=dict)
    """Settings of the reader, such as `--reader_options.text_column transcription`."""
    source: str = ""
    """Name of the set in the lines; the name of its folder where it is empty."""
    language: str = "und"
    """ISO 639-1 code of the texts, where the set does not say it line by line; `und` for undetermined."""
    rules: TextRules = field(default_factory=TextRules)
    """Text rules of this set; `rules.replace` is the place for its conventions, such as `{'¬': '-'}`."""
    checks: Checks = field(default_factory=Checks)
    """What makes a line unusable."""
    split: Splitting = field(default_factory=Splitting)
    """How lines are divided."""
    shape: Shape = field(default_factory=Shape)
    """What is done to the pictures."""
    workers: int = execution(0)
    """Threads that open pictures; 0 for one per core."""


@command(
    PrepareSettings,
    name="prepare",
    example="glyphline prepare --reader gt_tsv --root demo/handwriting --language fr --output out/handwriting",
    aliases={
        "--dataset": "--root",
        "--data": "--root",
        "--data_dir": "--root",
        "--level": "--reader_options.level",
        "--data_format": "--reader_options.level",
    },
)
def main(settings: PrepareSettings) -> None:
    """Read a handwriting data set; write Parquet lines, manifest.json, drops.jsonl, data.html and contact_sheet.png."""
    for name in ("reader", "root", "output"):
        if not getattr(settings, name):
            raise InputError(f"--{name} is missing; readers: {', '.join(plugins.available('reader'))}")
    manifest = prepare(settings)
    sys.stdout.write(summary(manifest, settings.output))


def prepare(settings: PrepareSettings) -> Manifest:
    """Do the whole job and return the manifest; a finished folder under the same settings is left as it is."""
    lines, drops = _gather(settings)
    inspections = _inspect(lines, settings)
    sides, items, more, way = _judge(lines, inspections, settings)
    source = settings.source or Path(settings.root.rstrip("/")).name
    inputs = {"set": _fingerprint(lines, inspections, drops)}
    inputs |= {f"against {n}": _manifest_hash(folder) for n, folder in enumerate(settings.split.against)}
    output = open_output(settings.output, "lines", _identity(settings, source), inputs)
    if output.finished:
        logger.info("%s: already prepared under these settings", settings.output)
        return output.finished
    chosen = [line for line in lines if line.id in sides]
    texts = {item.id: item.text for item in items}
    shards = _write(output, chosen, _Maker(settings, source, sides, texts))
    facts = _facts(items, sides, way, settings) | {"credit": f"{source}, read by {settings.reader}"}
    groups = len({item.group for item in items})
    for split in (name for name in SPLITS if not facts["splits"][name]["lines"]):
        logger.warning("%s is empty: %d groups; see --split.by and the reader's groups", split, groups)
    _draw(output, lines, sides, texts, drops + more)
    return output.finish(shards, facts, drops + more)


def _identity(settings: PrepareSettings, source: str) -> dict[str, Any]:
    """Return the settings that shape the output; folders to check against go by their hashes, which are inputs."""
    known = identity(settings) | {"source": source, "rules_version": RULES_VERSION}
    known["split"] = known["split"] | {"against": len(settings.split.against)}
    return known


def _manifest_hash(folder: str) -> str:
    from glyphline.manifest import read_manifest

    return read_manifest(folder).hash


def _gather(settings: PrepareSettings) -> tuple[list[RawLine], list[Drop]]:
    """Return what the reader yields, texts in memory and pictures still closed."""
    reader = plugins.load("reader", settings.reader)
    where = f"reader_options of {settings.reader}"
    if "root" in settings.reader_options:
        raise InputError(f"{where}: root is given by --root")
    options = build(reader.Settings, {"root": settings.root, **settings.reader_options}, where)
    lines: list[RawLine] = []
    drops: list[Drop] = []
    for found in reader.samples(options):
        (drops if isinstance(found, Drop) else lines).append(found)
    if not lines:
        why = "; ".join(f"{count} × {reason}" for reason, count in Counter(d.reason for d in drops).most_common(3))
        raise InputError(f"{settings.root}: no lines found by reader {settings.reader!r}{': ' + why if why else ''}")
    return lines, drops


def _inspect(lines: Sequence[RawLine], settings: PrepareSettings) -> list[Inspection]:
    def look(line: RawLine) -> Inspection:
        return checking.inspect(line, settings.rules, settings.checks, settings.shape)

    return list(_in_threads(look, lines, settings.workers, "checking"))


def _in_threads(function: Callable[[T], R], items: Sequence[T], workers: int, label: str) -> Iterator[R]:
    """Apply a function in threads (pictures are decoded outside the interpreter lock); results in order."""
    from tqdm import tqdm

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        yield from tqdm(pool.map(function, items), total=len(items), desc=label, unit=" lines", disable=None)


def _judge(
    lines: Sequence[RawLine], inspections: list[Inspection], settings: PrepareSettings
) -> tuple[dict[str, str], list[splitting.Item], list[Drop], str]:
    """Return the split of every usable line, the items, the drops, and how lines were divided."""
    checking.judge_labels((item.text for item in inspections), settings.checks.class_labels)
    drops = [Drop(i.reason, line.id, i.detail) for line, i in zip(lines, inspections, strict=True) if i.reason]
    out = {k for k, item in enumerate(inspections) if item.reason}
    repeated = checking.find_duplicates(lines, inspections)
    outliers = checking.find_outliers(inspections, settings.checks.width_outlier)
    drops += repeated.values()
    drops += [Drop("text does not fit the width", lines[k].id, why) for k, why in outliers.items() if k not in repeated]
    kept = [k for k in range(len(lines)) if k not in out and k not in repeated and k not in outliers]
    if not kept:
        raise InputError(f"{settings.root}: no usable line among {len(lines)}; the first: {drops[0].reason}")
    items = splitting.items_of([lines[k] for k in kept], [inspections[k] for k in kept])
    sides, more, way = splitting.part_sides(items, settings.split)
    return sides, items, drops + more, way


def _fingerprint(lines: Sequence[RawLine], inspections: Sequence[Inspection], drops: Sequence[Drop]) -> str:
    """Return the hash of everything that was read: texts, pixels, groups, splits, and what the reader left out."""
    rows = [
        [line.id, line.text, line.group, line.split, line.language, seen.digest or seen.reason]
        for line, seen in zip(lines, inspections, strict=True)
    ]
    return digest([rows, [asdict(drop) for drop in drops]])


@dataclass(frozen=True)
class _Maker:
    """Turns a raw line into a sample and its bytes."""

    settings: PrepareSettings
    source: str
    sides: dict[str, str]
    texts: dict[str, str]

    def __call__(self, line: RawLine) -> tuple[Sample, bytes]:
        data = stored(line.picture, self.settings.shape)
        text, known = self.texts[line.id], {"group": line.group} | line.provenance
        if text != line.text:
            known["text_as_published"] = line.text
        name = f"{self.source}/{line.id}"
        language = line.language or self.settings.language
        return Sample(name, None, text, language, self.source, self.sides[line.id], known), data


def _write(output: Output, lines: Sequence[RawLine], make: _Maker) -> list[str]:
    """Write the shards, split by split, and return their names; those that are there already are not made again."""
    plan: dict[str, list[RawLine]] = {}
    for split in SPLITS:
        part = [line for line in lines if make.sides[line.id] == split]
        count = -(-len(part) // LINES_PER_SHARD)
        for k in range(count):
            name = f"data/{split}-{k:05d}-of-{count:05d}.parquet"
            plan[name] = part[k * LINES_PER_SHARD : (k + 1) * LINES_PER_SHARD]
    for name in output.missing(list(plan)):
        pairs = list(_in_threads(make, plan[name], make.settings.workers, name))
        output.commit(name, pack_lines(pairs), {"lines": len(pairs), pairs[0][0].split: len(pairs)})
    return list(plan)


def _facts(
    items: Sequence[splitting.Item], sides: dict[str, str], way: str, settings: PrepareSettings
) -> dict[str, Any]:
    """Return what the manifest says about the set: sizes, division and its proof, characters of the train split."""
    kept = [item for item in items if item.id in sides]
    by_split = {split: [item for item in kept if sides[item.id] == split] for split in SPLITS}
    sizes = {
        split: {
            "lines": len(part),
            "groups": len({item.group for item in part}),
            "characters": sum(len(graphemes(item.text)) for item in part),
        }
        for split, part in by_split.items()
    }
    known = set(charset(item.text for item in by_split["train"]))
    unknown = sorted({c for split in ("validation", "test") for item in by_split[split] for c in item.text} - known)
    return {
        "splits": sizes,
        "divided by": way,
        "shared": splitting.proof(items, sides, settings.split.shared_text_length),
        "train charset": "".join(sorted(known)),
        "held-out characters unseen in train": "".join(unknown),
    }


def _draw(
    output: Output, lines: Sequence[RawLine], sides: dict[str, str], texts: dict[str, str], drops: Sequence[Drop]
) -> None:
    """Write the contact sheet and data.html."""
    from glyphline.handwriting.sheet import contact_sheet, page

    output.storage.write("contact_sheet.png", contact_sheet(lines, sides, texts))
    output.storage.write("data.html", page(lines, sides, texts, drops).encode())


def summary(manifest: Manifest, folder: str) -> str:
    """Return what the command prints: lines and groups of each split, drops by reason, and where to look."""
    rows = [f"{'split':<12}{'lines':>8}{'groups':>8}{'characters':>12}"]
    for split in SPLITS:
        facts = manifest.facts["splits"][split]
        rows.append(f"{split:<12}{facts['lines']:>8}{facts['groups']:>8}{facts['characters']:>12}")
    dropped = ", ".join(f"{count} {reason}" for reason, count in manifest.drops.items()) or "none"
    shared = ", ".join(f"{count} {what}" for what, count in manifest.facts["shared"].items())
    rows += [f"divided by: {manifest.facts['divided by']}", f"shared: {shared}", f"dropped: {dropped}"]
    return "\n".join([*rows, f"look at {folder.rstrip('/')}/data.html and contact_sheet.png"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
