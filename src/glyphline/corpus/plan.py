"""What will be read: each source with its plug-in, its files and their checksums, and the documents in chunks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphline.corpus.files import Files, checksum, expand, wrong_encoding
from glyphline.corpus.settings import CollectSettings
from glyphline.corpus.sources import PersonalData, Source, SourceSettings
from glyphline.manifest import digest
from glyphline.plugins import load
from glyphline.records import Drop
from glyphline.settings import InputError, build, identity

CHUNK_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class PlannedSource:
    """A source as it will be read."""

    label: str
    """Its name in the corpus."""
    plugin: Source
    """What its file declares."""
    settings: SourceSettings
    """Its own settings."""
    language: str
    """Code of its language."""
    files: Files
    """Its files, in order."""
    digest: str
    """SHA-256 over the names and contents of its files."""

    @property
    def licence(self) -> str:
        """Licence of the texts."""
        return self.settings.licence or self.plugin.licence or "not stated"

    @property
    def address(self) -> str:
        """Where the texts come from."""
        return self.settings.address or self.plugin.address or "not stated"

    @property
    def personal_data(self) -> PersonalData:
        """What is done with personal data."""
        chosen = self.settings.personal_data
        return self.plugin.personal_data if chosen == "source" else chosen


@dataclass(frozen=True)
class Chunk:
    """Documents that are worked on and committed together."""

    index: int
    """Number of the chunk in the whole corpus."""
    source: int
    """Number of its source."""
    documents: list[str]
    """Texts as the source gives them."""
    drops: list[Drop]
    """Items of the source without text."""
    read_bytes: int
    """Bytes of all sources read so far."""


def plan_sources(settings: CollectSettings) -> list[PlannedSource]:
    """Load each source's plug-in, check its settings, find and hash its files."""
    if not isinstance(settings.sources, dict) or not settings.sources:
        raise InputError("no sources: name text files on the command line, or `sources:` in a configuration file")
    return [_plan(label, content, settings.language) for label, content in settings.sources.items()]


def _plan(label: str, content: dict[str, Any], language: str) -> PlannedSource:
    where = f"sources.{label}"
    plugin: Source = load("source", str(content["source"])).SOURCE
    settings = build(plugin.settings, content, where)
    code = settings.language or plugin.language or language
    if not code:
        raise InputError(
            f"{where}: its language is not known; add `language: ko` or another to the source or the corpus"
        )
    load("language", code)
    if plugin.needs_path and not settings.paths:
        raise InputError(f"{where}: no path; say which files to read")
    files = [file for path in settings.paths for file in expand(path, plugin.suffixes)]
    sums = [checksum(file) for file in files]
    if settings.sha256 and sums != [settings.sha256]:
        raise InputError(f"{where}: {files[0]} has the checksum {sums[0]}, not {settings.sha256}")
    names = [file.rsplit("/", 1)[-1] for file in files]
    known = [*zip(names, sums, strict=True), *_remote(plugin, settings)]
    return PlannedSource(label, plugin, settings, code, Files(files), digest(known))


def _remote(plugin: Source, settings: SourceSettings) -> list[tuple[str, str]]:
    """Return what stands for texts that are not in files of `path`: a version, or a folder's files and checksums."""
    folder = Path(str(getattr(settings, plugin.folder))) if plugin.folder else None
    if folder and folder.is_dir():
        files = sorted(str(file) for file in folder.rglob("*") if file.is_file())
        return [(file.removeprefix(f"{folder}/"), checksum(file)) for file in files]
    return [("version", plugin.version(settings))] if plugin.version else []


def settings_identity(settings: CollectSettings, sources: Sequence[PlannedSource]) -> dict[str, Any]:
    """Return the settings that shape the corpus: paths left out, as the files' checksums stand for them."""
    shaping = identity(settings)
    shaping.pop("files")
    shaping["filters"] |= {"profanity": None, "fonts": None}
    shaping["sources"] = {source.label: identity(source.settings) | _no_paths(source) for source in sources}
    return shaping


def _no_paths(source: PlannedSource) -> dict[str, None]:
    """Return the fields that name places on this machine, emptied."""
    folder = source.plugin.folder
    local = folder and Path(str(getattr(source.settings, folder))).is_dir()
    return {"path": None} | ({folder: None} if local else {})


def inputs(settings: CollectSettings, sources: Sequence[PlannedSource]) -> dict[str, str]:
    """Return the checksum of each source's files by label, and the versions of the packages that cut its language."""
    found = {source.label: source.digest for source in sources}
    for name, path in [("filters.profanity", settings.filters.profanity), *_fonts(settings)]:
        found |= {name: _named_file(name, path)} if path else {}
    if settings.mix.generated:
        found["numbers and dates"] = f"babel {_version('babel')}"
    for code in sorted({source.language for source in sources}):
        packages = load("language", code).LANGUAGE.packages
        found[f"language {code}"] = ", ".join(f"{name} {_version(name)}" for name in packages)
    return found


def _fonts(settings: CollectSettings) -> list[tuple[str, str]]:
    return [(f"filters.fonts.{number}", path) for number, path in enumerate(settings.filters.fonts)]


def _named_file(name: str, path: str) -> str:
    if not Path(path).is_file():
        raise InputError(f"{name}: {path}: no such file")
    return checksum(path)


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def chunks(sources: Sequence[PlannedSource], documents: int) -> Iterator[Chunk]:
    """Yield all documents in chunks of `documents`, fewer at a source's end or where they are long."""
    index = 0
    for number, source in enumerate(sources):
        held: list[str] = []
        drops: list[Drop] = []
        size = 0
        for item in _documents(source):
            if isinstance(item, Drop):
                drops.append(item)
            else:
                held.append(item)
                size += len(item)
            if len(held) + len(drops) >= documents or size >= CHUNK_CHARACTERS:
                yield Chunk(index, number, held, drops, sum(source.files.bytes_read for source in sources))
                index, held, drops, size = index + 1, [], [], 0
        if held or drops:
            yield Chunk(index, number, held, drops, sum(source.files.bytes_read for source in sources))
            index += 1


def _documents(source: PlannedSource) -> Iterator[str | Drop]:
    """Yield what a source gives, up to its limit; a wrong encoding becomes an InputError that names the file."""
    count = 0
    try:
        for item in source.plugin.read(source.settings, source.files):
            yield item
            count += not isinstance(item, Drop)
            if source.settings.limit and count >= source.settings.limit:
                return
    except UnicodeDecodeError as error:
        encoding = getattr(source.settings, "encoding", "utf-8")
        raise InputError(wrong_encoding(source.files.current, encoding, error)) from error


def without_files(source: PlannedSource) -> PlannedSource:
    """Return the source as a worker process needs it."""
    return dataclasses.replace(source, files=Files([]))
