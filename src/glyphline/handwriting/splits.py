"""Splits that share no writer, page or document, no picture and no long text; and the proof that they do not."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from glyphline.handwriting.alike import find_alike
from glyphline.handwriting.checks import Inspection
from glyphline.handwriting.raw import RawLine
from glyphline.records import SPLITS, Drop
from glyphline.seeds import share
from glyphline.settings import InputError
from glyphline.text import graphemes, normalise

logger = logging.getLogger(__name__)

MANY_GROUPS = 100
"""From here on the shares of lines come out near enough by themselves."""
SHOWN = 5
"""How many ids an error names."""


@dataclass
class Splitting:
    """How lines are divided and what must not be on two sides."""

    by: Literal["auto", "own", "group"] = "auto"
    """own: the set's own splits; group: whole groups at random; auto: the set's own where it has any."""
    validation: float = 0.1
    """Share of lines for validation, in whole groups; with the set's own splits only where it has no validation."""
    test: float = 0.1
    """Share of lines for test, in whole groups; with the set's own splits only where it has none."""
    seed: int = 0
    """Seed of the division; from 100 groups on a group's side depends on seed and group alone."""
    leaks: Literal["refuse", "drop"] = "refuse"
    """What to do where the set's own splits share a group or a picture, or a held-out text is in `against`: refuse
    the set, or drop the training side (the held-out side where the text is in `against`)."""
    shared_texts: Literal["drop", "keep", "refuse"] = "drop"
    """What to do with training lines whose text is also held out, written by another hand."""
    shared_text_length: int = 20
    """Texts shorter than this, in characters, may be shared: words and page numbers recur."""
    against: list[str] = field(default_factory=list)
    """Folders of corpora or lines that a model will be trained on: no held-out text may be in their train split."""

    def __post_init__(self) -> None:
        """Check the shares."""
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            raise InputError(f"split.validation {self.validation} and split.test {self.test} leave nothing to train on")


@dataclass(frozen=True, slots=True)
class Item:
    """A line that passed the checks: what splitting has to know of it."""

    id: str
    group: str
    text: str
    digest: str
    own: str
    looks: int = 0


def items_of(lines: Sequence[RawLine], inspections: Sequence[Inspection]) -> list[Item]:
    """Return the items of lines and their inspections."""
    pairs = zip(lines, inspections, strict=True)
    return [Item(line.id, line.group, seen.text, seen.digest, line.split, seen.looks) for line, seen in pairs]


def assign(items: Sequence[Item], settings: Splitting) -> tuple[dict[str, str], list[Drop], str]:
    """Return the split of every id, the items left out, and the way in which they were divided.

    InputError where the set's own splits are asked for and it has none.
    """
    declared = {item.own for item in items} - {""}
    if settings.by == "own" and not declared:
        raise InputError("split.by own: this set has no splits of its own; use group")
    if settings.by == "group" or len(declared) < 2 and settings.by == "auto":
        return _by_group(items, settings), [], "groups"
    outside = [Drop("in none of the set's splits", item.id, item.group) for item in items if not item.own]
    sides = {item.id: item.own for item in items if item.own}
    way, held = "own", [name for name in ("validation", "test") if name not in declared and getattr(settings, name)]
    if "train" in declared and held:
        way = f"own; {' and '.join(held)} taken from train by groups"
        part = Splitting(**{name: getattr(settings, name) if name in held else 0.0 for name in ("validation", "test")})
        part.seed = settings.seed
        sides |= _by_group([item for item in items if item.own == "train"], part)
    return sides, outside, way


def _by_group(items: Sequence[Item], settings: Splitting) -> dict[str, str]:
    """Divide whole groups, in the order of a number that seed and name give each of them.

    Many groups: those below `test` are test, those below `test + validation` validation, whatever other groups
    there are. Few groups: each split is filled with the first groups that fit its share of lines, and with the
    smallest where none does, so that one long book does not end up as validation.
    """
    sizes = Counter(item.group for item in items)
    numbers = {group: share(settings.seed, "split", group) for group in sizes}
    order = sorted(sizes, key=lambda group: (numbers[group], group))
    sides = dict.fromkeys(order, "train")
    if len(order) >= MANY_GROUPS:
        for group in order:
            if numbers[group] < settings.test + settings.validation:
                sides[group] = "test" if numbers[group] < settings.test else "validation"
    else:
        for name in ("test", "validation"):
            _fill(sides, sizes, name, getattr(settings, name) * len(items))
    return {item.id: sides[item.group] for item in items}


def _fill(sides: dict[str, str], sizes: Counter[str], name: str, target: float) -> None:
    """Move groups from train to the split `name` until it has about `target` lines; one group at least stays."""
    held = 0
    for group in [group for group, side in sides.items() if side == "train"]:
        left = sum(side == "train" for side in sides.values())
        if held < target and held + sizes[group] <= 1.5 * target and left > 1:
            sides[group], held = name, held + sizes[group]
    rest = [group for group, side in sides.items() if side == "train"]
    if target and not held and len(rest) > (2 if name == "test" else 1):
        sides[min(rest, key=lambda group: sizes[group])] = name


def pictured_twice(items: Sequence[Item]) -> list[tuple[int, int]]:
    """Return the positions of pairs that are two pictures of one line.

    Two groups have to share two such pairs, or all that the smaller one has: a running head or a letterhead comes on
    many pages and is no line that was scanned twice.
    """
    pairs = find_alike(items)
    sizes = Counter(item.group for item in items)
    between = [tuple(sorted({items[first].group, items[second].group})) for first, second in pairs]
    counts = Counter(between)
    enough = {groups for groups, count in counts.items() if count >= min(2, *(sizes[group] for group in groups))}
    return [pair for pair, groups in zip(pairs, between, strict=True) if groups in enough]


def join_groups(items: Sequence[Item], alike: Sequence[tuple[int, int]]) -> list[Item]:
    """Return the items, with one group for groups that hold pictures of the same lines: a page that was scanned twice.

    Where items have splits of the set's own the groups stay as they are, and such pictures are leaks.
    """
    if any(item.own for item in items):
        return list(items)
    joined = {item.group: item.group for item in items}
    for first, second in alike:
        names = sorted({joined[items[place].group] for place in (first, second)})
        if len(names) > 1:
            logger.warning("groups %s and %s hold pictures of the same lines and stay together", *names)
            joined = {group: names[0] if name == names[1] else name for group, name in joined.items()}
    return [replace(item, group=joined[item.group]) for item in items]


def find_leaks(items: Iterable[Item], sides: dict[str, str], alike: Iterable[tuple[Item, Item]] = ()) -> list[Drop]:
    """Return what would be dropped to part the sides: each leaking item with its reason and its counterpart.

    Of two sides that share a group or a picture the one nearer to training goes: train, then validation.
    """
    items = [item for item in items if item.id in sides]
    found: dict[str, Drop] = {}
    for reason, key in (("group is also held out", _group), ("picture is also held out", _digest)):
        for item, other in _shared(items, sides, key):
            found.setdefault(item.id, Drop(reason, item.id, f"{sides[item.id]}; as {other.id} in {sides[other.id]}"))
    for pair in _apart(alike, sides):
        item, other = sorted(pair, key=lambda item: SPLITS.index(sides[item.id]))
        detail = f"{sides[item.id]}; like {other.id} in {sides[other.id]}"
        found.setdefault(item.id, Drop("a picture of the same line is also held out", item.id, detail))
    return list(found.values())


def _apart(alike: Iterable[tuple[Item, Item]], sides: dict[str, str]) -> list[tuple[Item, Item]]:
    """Return the pairs whose items are on two sides."""
    known = [pair for pair in alike if all(item.id in sides for item in pair)]
    return [pair for pair in known if sides[pair[0].id] != sides[pair[1].id]]


def _group(item: Item) -> str:
    return item.group


def _digest(item: Item) -> str:
    return item.digest


def _shared(items: Sequence[Item], sides: dict[str, str], key: Callable[[Item], str]) -> Iterable[tuple[Item, Item]]:
    """Yield the items whose key also occurs on a side further from training, with one item from there."""
    firsts: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in items:
        firsts[key(item)].setdefault(sides[item.id], item)
    for item in items:
        there = firsts[key(item)]
        further = [side for side in SPLITS[SPLITS.index(sides[item.id]) + 1 :] if side in there]
        if further:
            yield item, there[further[-1]]


def find_shared_texts(items: Iterable[Item], sides: dict[str, str], length: int) -> list[Drop]:
    """Return the items whose text, of `length` characters or more, is also on a side further from training."""
    long = [item for item in items if item.id in sides and len(graphemes(item.text)) >= length]
    pairs = _shared(long, sides, lambda item: item.text)
    return [
        Drop("text is also held out", item.id, f"{sides[item.id]}; as {other.id}: {item.text[:60]}")
        for item, other in pairs
    ]


def find_known_texts(items: Iterable[Item], sides: dict[str, str], folders: Sequence[str], length: int) -> list[Drop]:
    """Return the held-out items whose text stands in the train split of one of the folders (corpora or lines).

    A written line is mostly a piece of a sentence: texts that contain it count as well as texts that equal it.
    """
    length = max(1, length)
    held: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if sides.get(item.id, "train") != "train" and len(graphemes(item.text)) >= length:
            held[item.text[:length]].append(item)
    found: dict[str, Drop] = {}
    for folder in folders if held else ():
        for text in map(normalise, train_texts(folder)):
            starts = {text[k : k + length] for k in range(len(text) - length + 1)} & held.keys()
            for item in (item for start in starts for item in held[start] if item.text in text):
                detail = f"{sides[item.id]}; in {folder}: {item.text[:60]}"
                found.setdefault(item.id, Drop("text is in a training corpus", item.id, detail))
    return [found[name] for name in sorted(found)]


def train_texts(folder: str) -> Iterable[str]:
    """Yield the texts of the train split of a finished folder of a corpus or of lines."""
    from glyphline.manifest import read_manifest, read_shards

    for table in read_shards(folder, read_manifest(folder).kind, columns=("text", "split")):
        for row in table.to_pylist():
            if row["split"] == "train":
                yield row["text"]


def part_sides(items: Sequence[Item], settings: Splitting) -> tuple[dict[str, str], list[Drop], str]:
    """Assign splits, deal with everything that leaks, and return the sides, all drops and the way of division.

    InputError names the leaking ids where the settings say to refuse.
    """
    places = pictured_twice(items)
    alike = [(items[first], items[second]) for first, second in places]
    sides, drops, way = assign(join_groups(items, places), settings)
    leaks = find_leaks(items, sides, alike)
    known = find_known_texts(items, sides, settings.against, settings.shared_text_length)
    if settings.leaks == "refuse":
        _refuse(leaks + known, "split.leaks")
    drops += _take_out(sides, leaks + known)
    texts = find_shared_texts(items, sides, settings.shared_text_length)
    if settings.shared_texts == "refuse":
        _refuse(texts, "split.shared_texts")
    if settings.shared_texts == "drop":
        drops += _take_out(sides, texts)
    return sides, drops, way


def _take_out(sides: dict[str, str], drops: Sequence[Drop]) -> list[Drop]:
    return [drop for drop in drops if sides.pop(drop.item, None) is not None]


def _refuse(leaks: Sequence[Drop], setting: str) -> None:
    if not leaks:
        return
    shown = "; ".join(f"{drop.item} ({drop.reason}: {drop.detail})" for drop in leaks[:SHOWN])
    more = f" and {len(leaks) - SHOWN} more" if len(leaks) > SHOWN else ""
    raise InputError(f"{len(leaks)} lines leak between splits: {shown}{more}; mend the set or use --{setting} drop")


def proof(items: Sequence[Item], sides: dict[str, str], length: int) -> dict[str, int]:
    """Count what two splits share after everything is settled: zeros are the proof that the manifest carries."""
    kept = [item for item in items if item.id in sides]
    alike = [(kept[first], kept[second]) for first, second in pictured_twice(kept)]
    return {
        "groups in two splits": _in_two(kept, sides, _group),
        "pictures in two splits": _in_two(kept, sides, _digest),
        "lines in two pictures in two splits": len(_apart(alike, sides)),
        f"texts of {length} or more characters in two splits": _in_two(
            [item for item in kept if len(graphemes(item.text)) >= length], sides, lambda item: item.text
        ),
        "shorter texts in two splits": _in_two(
            [item for item in kept if len(graphemes(item.text)) < length], sides, lambda item: item.text
        ),
    }


def _in_two(items: Iterable[Item], sides: dict[str, str], key: Callable[[Item], str]) -> int:
    where: dict[str, set[str]] = defaultdict(set)
    for item in items:
        where[key(item)].add(sides[item.id])
    return sum(len(splits) > 1 for splits in where.values())
