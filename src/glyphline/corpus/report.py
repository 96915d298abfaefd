"""What people look at: corpus.html, SOURCES.md and the table of characters."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from glyphline.corpus.coverage import HANGUL
from glyphline.corpus.plan import PlannedSource
from glyphline.corpus.writing import ShardFacts
from glyphline.manifest import PROGRESS, Storage

CHARACTERS_SHOWN = 400


def gather(storage: Storage, shards: Sequence[str]) -> tuple[ShardFacts, dict[str, int], dict[str, int]]:
    """Return the facts, the counts and the drops of all committed shards together."""
    facts, counts, drops = ShardFacts(), {}, {}
    for name in shards:
        facts.merge(json.loads(storage.read(f"{PROGRESS}/{name}.facts")))
        part = json.loads(storage.read(f"{PROGRESS}/{name}.json"))
        for total, more in ((counts, part["counts"]), (drops, part["drops"])):
            for key, value in more.items():
                total[key] = total.get(key, 0) + value
    return facts, counts, drops


def write_reports(
    storage: Storage, sources: Sequence[PlannedSource], shards: Sequence[str], coverage: dict[str, Any]
) -> dict[str, Any]:
    """Write SOURCES.md, characters.tsv and corpus.html; return the facts that the manifest keeps."""
    facts, counts, drops = gather(storage, shards)
    credited = credits_of(sources)
    storage.write("SOURCES.md", "".join(_sources_md(credited, counts)).encode())
    storage.write_parts("characters.tsv", (row.encode() for row in _characters_tsv(facts)))
    storage.write("corpus.html", _page(facts, counts, drops, credited).encode())
    kept: dict[str, Any] = {"languages": sorted(facts.characters), "sources": credited}
    kept["characters"] = {code: len(counter) for code, counter in sorted(facts.characters.items())}
    hangul = sum(syllable in facts.characters.get("ko", ()) for syllable in HANGUL)
    return kept | ({"hangul_syllables": hangul} if hangul else {}) | ({"coverage": coverage} if coverage else {})


def credits_of(sources: Sequence[PlannedSource]) -> list[dict[str, str]]:
    """Return label, kind, language, licence and address of each source."""
    return [
        {
            "label": s.label,
            "kind": s.settings.source,
            "language": s.language,
            "licence": s.licence,
            "address": s.address,
        }
        for s in sources
    ]


def _sources_md(credited: Sequence[dict[str, str]], counts: dict[str, int]) -> Iterator[str]:
    yield "# Sources of this corpus\n\n"
    yield "| source | language | lines | licence | address |\n| --- | --- | --- | --- | --- |\n"
    for source in credited:
        lines = counts.get(f"source {source['label']}", 0)
        row = (source["label"], source["language"], f"{lines:,}", source["licence"], source["address"])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"
    if generated := counts.get("source generated"):
        yield f"\n{generated:,} lines are generated; numbers and dates have the forms of Unicode CLDR (Unicode-3.0).\n"


def _characters_tsv(facts: ShardFacts) -> Iterator[str]:
    """Yield every grapheme with its language, count, code points and name, the most frequent first."""
    yield "language\tcharacter\tcount\tcode_points\tname\n"
    for code, counter in sorted(facts.characters.items()):
        for character, count in sorted(counter.items(), key=lambda item: (-item[1], item[0])):
            points = " ".join(f"U+{ord(point):04X}" for point in character)
            names = " + ".join(unicodedata.name(point, "?") for point in character)
            yield f"{code}\t{character}\t{count}\t{points}\t{names}\n"


def _page(facts: ShardFacts, counts: dict[str, int], drops: dict[str, int], credited: Sequence[dict[str, str]]) -> str:
    from jinja2 import Environment

    template = files("glyphline.corpus").joinpath("templates/corpus.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    tables = []
    for code, counter in sorted(facts.characters.items()):
        ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
        once = sum(count == 1 for _, count in ranked)
        tables.append(
            {
                "code": code,
                "size": len(ranked),
                "once": once,
                "top": ranked[:CHARACTERS_SHOWN],
                "rare": [character for character, _ in ranked[::-1][:CHARACTERS_SHOWN]],
            }
        )
    groups = {key: _group(counts, key) for key in ("split", "language", "source", "kind")}
    return page.render(
        counts=counts,
        groups=groups,
        drops=sorted(drops.items(), key=lambda item: -item[1]),
        credited=credited,
        examples=facts.examples,
        samples={s: [text for _, text in rows] for s, rows in sorted(facts.samples.items())},
        lengths=_bars(facts),
        tables=tables,
    )


def _group(counts: dict[str, int], key: str) -> list[tuple[str, int]]:
    """Return the counts of one kind, `split train` as ("train", …), the largest first."""
    found = [(name.removeprefix(f"{key} "), count) for name, count in counts.items() if name.startswith(f"{key} ")]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def _bars(facts: ShardFacts) -> list[dict[str, float]]:
    """Return the bars of the histogram of lengths: place, height in percent, and count."""
    if not facts.lengths:
        return []
    highest, longest = max(facts.lengths.values()), max(facts.lengths)
    step = max(1, -(-longest // 80))
    summed: dict[int, int] = {}
    for length, count in facts.lengths.items():
        summed[length // step * step] = summed.get(length // step * step, 0) + count
    highest = max(summed.values())
    return [
        {
            "from": start,
            "to": start + step - 1,
            "count": summed.get(start, 0),
            "height": round(100 * summed.get(start, 0) / highest, 2),
        }
        for start in range(0, longest + 1, step)
    ]
