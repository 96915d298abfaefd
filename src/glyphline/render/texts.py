"""Texts to render: a corpus folder or a text file, read once a process and held as Arrow columns."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from glyphline.manifest import read_manifest, read_shards
from glyphline.records import TextLine
from glyphline.settings import InputError
from glyphline.text import normalise


class CorpusTexts(Sequence):
    """Lines of a corpus, one split; 670,000 of them take 60 MB, not 400."""

    def __init__(self, table: Any) -> None:  # noqa: ANN401
        self.columns = [table.column(name).combine_chunks() for name in ("id", "text", "language", "source", "split")]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, place: int) -> TextLine:
        return TextLine(*(column[place].as_py() for column in self.columns))


class FileTexts(Sequence):
    """Lines of a text file; all belong to one split."""

    def __init__(self, lines: list[tuple[int, str]], language: str, source: str, split: str) -> None:
        self.lines, self.language, self.source, self.split = lines, language, source, split

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, place: int) -> TextLine:
        number, text = self.lines[place]
        return TextLine(f"{self.source}:{number}", text, self.language, self.source, self.split)


class CasedTexts(Sequence):
    """Texts in upper or lower case, picture and label alike."""

    def __init__(self, texts: Sequence[TextLine], case: str) -> None:
        self.texts, self.case = texts, case

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, place: int) -> TextLine:
        line = self.texts[place]
        return replace(line, text=line.text.upper() if self.case == "upper" else line.text.lower())


def read_texts(corpus: str, language: str, split: str) -> Sequence[TextLine]:
    """Return the texts of a split: of a corpus folder (of one language, where one is given) or a text file."""
    return _read(corpus, language, split)


@functools.lru_cache(maxsize=8)
def _read(corpus: str, language: str, split: str) -> Sequence[TextLine]:
    if is_file(corpus):
        if not language:
            raise InputError(f"--language: needed with a text file ({corpus}), for instance --language ko")
        stem = Path(corpus).stem
        return FileTexts(read_lines(corpus), language, stem, split)
    return _of_corpus(corpus, language, split)


def is_file(corpus: str) -> bool:
    """Tell whether the corpus is a text file and no folder."""
    return "://" not in corpus and Path(corpus).is_file()


def _of_corpus(corpus: str, language: str, split: str) -> CorpusTexts:
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = []
    for table in read_shards(corpus, "corpus"):
        keep = pc.equal(table["split"], split)
        if language:
            keep = pc.and_(keep, pc.equal(table["language"], language))
        tables.append(table.filter(keep))
    if not tables:
        raise InputError(f"{corpus}: holds no lines")
    return CorpusTexts(pa.concat_tables(tables))


def read_lines(path: str) -> list[tuple[int, str]]:
    """Return (line number, text) of a UTF-8 file's lines that are not empty. InputError names another encoding."""
    data = Path(path).read_bytes()
    for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if data.startswith(mark):
            raise InputError(f"{path}: {name}, not UTF-8; convert it first: iconv -f {name} -t UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        guess = _guess(data)
        raise InputError(
            f"{path}: not UTF-8 (byte {error.start}){guess and f'; it looks like {guess}: iconv -f {guess} -t UTF-8'}"
        ) from error
    lines = [(number, normalise(line)) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, line) for number, line in lines if line]
    if not lines:
        raise InputError(f"{path}: empty")
    return lines


def _guess(data: bytes) -> str:
    """Return the legacy encoding that the bytes are, if one fits."""
    for name in ("CP949", "SHIFT_JIS", "GB18030"):
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return ""


def digest_of(corpus: str) -> str:
    """Return what stands for the corpus in the manifest: its own hash, or the file's SHA-256."""
    if is_file(corpus):
        return hashlib.sha256(Path(corpus).read_bytes()).hexdigest()
    return read_manifest(corpus, "corpus").hash
