"""Universal Dependencies in CoNLL-U: the `# text =` of each sentence, or its words put together again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop


@dataclass
class Treebank(SourceSettings):
    """Settings of the source."""

    keep_whole_below: int = 1_000_000
    """Sentences are cut already, by hand; 0 cuts them again."""


def read(settings: Treebank, files: Files) -> Iterator[str | Drop]:
    """Yield the sentences of all files in order."""
    for path in files.paths:
        held: list[str] = []
        for number, line in enumerate(files.lines(path, "utf-8"), 1):
            if isinstance(line, Drop):
                yield line
            elif line.strip():
                held.append(line)
            elif held:
                yield _sentence(held, f"{path}:{number}")
                held = []
        if held:
            yield _sentence(held, f"{path}:end")


def _sentence(lines: list[str], where: str) -> str | Drop:
    for line in lines:
        if line.startswith("# text ="):
            return line.partition("=")[2].strip()
    text, covered = "", 0
    for line in lines:
        fields = line.split("\t")
        if line.startswith("#") or len(fields) < 10 or "." in fields[0]:
            continue
        first, _, last = fields[0].partition("-")
        if int(first) <= covered:
            # A word inside a contraction (`aux` = `à` + `les`), whose form was taken already.
            continue
        covered = int(last or first)
        text += fields[1] + ("" if "SpaceAfter=No" in fields[9] else " ")
    return text.strip() or Drop("empty", where, "no words")


SOURCE = Source(Treebank, read, address="https://universaldependencies.org", suffixes=(".conllu",))
