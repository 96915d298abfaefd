"""Folders between stages: sharded Parquet plus a manifest.json that is written last and atomically.

    output = open_output(folder, "lines", identity(settings), inputs={"corpus": corpus.hash})
    for name in names:
        if not output.has(name):
            output.commit(name, data, rows=…, counts={…}, drops=[Drop(…)])
    manifest = output.finish(names)

A folder without manifest.json is unfinished and is gone on with; a folder made under other settings is an error
that names the differing keys. `kill -9` at any moment loses the shard in the making, nothing else.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from glyphline.records import Drop, Sample, TextLine
from glyphline.settings import InputError

MANIFEST, DROPS, PROGRESS, BEGUN = "manifest.json", "drops.jsonl", ".progress", ".progress/settings.json"
VERSION = 1

Kind = Literal["corpus", "lines"]


def digest(value: Any) -> str:  # noqa: ANN401
    """Return the SHA-256 of a JSON-serialisable value in canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def pretty(value: Any) -> str:  # noqa: ANN401
    """Return JSON for people and for byte-equal files: sorted, indented, UTF-8, newline at the end."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True)
class Manifest:
    """What a finished folder holds. Nothing in it depends on the machine, the time or the number of workers."""

    kind: Kind
    settings: dict[str, Any]
    inputs: dict[str, str]
    counts: dict[str, int]
    drops: dict[str, int]
    shards: list[dict[str, Any]]
    facts: dict[str, Any] = field(default_factory=dict)
    version: int = VERSION

    @property
    def hash(self) -> str:
        """SHA-256 over everything in the manifest, shard digests included: equal hash, equal bytes."""
        return digest(asdict(self))


class Storage:
    """A folder on any fsspec file system, with whole-file atomic writes."""

    def __init__(self, folder: str) -> None:
        import fsspec

        self.folder = str(folder)
        self.files, self.root = fsspec.core.url_to_fs(self.folder)

    @property
    def is_local(self) -> bool:
        """Whether the folder is on this machine's own file system."""
        return "file" in (self.files.protocol if isinstance(self.files.protocol, tuple) else (self.files.protocol,))

    def path(self, name: str) -> str:
        """Return the file system's own path of a file in the folder."""
        return f"{self.root.rstrip('/')}/{name}" if name else self.root

    def exists(self, name: str = "") -> bool:
        """Tell whether the file, or with no name the folder, is there."""
        return self.files.exists(self.path(name))

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        return self.files.cat_file(self.path(name))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all: beside its place, flushed to the disk, then renamed."""
        self.write_parts(name, [data])

    def write_parts(self, name: str, parts: Iterable[bytes]) -> None:
        """Write a file from parts that need not fit into memory together, whole or not at all as `write` does."""
        target = self.path(name)
        if not self.is_local:
            # Object stores show a file only when it is closed.
            with self.files.open(target, "wb") as handle:
                handle.writelines(parts)
            return
        import os
        from pathlib import Path

        Path(target).parent.mkdir(parents=True, exist_ok=True)
        beside = Path(f"{target}.{os.getpid()}.part")
        try:
            with beside.open("wb") as handle:
                handle.writelines(parts)
                handle.flush()
                os.fsync(handle.fileno())
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def names(self, under: str = "") -> list[str]:
        """Return the names of the entries of the folder `under`, sorted; none where it does not exist."""
        place = self.path(under)
        if not self.files.exists(place):
            return []
        return sorted(str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in self.files.ls(place, detail=False))

    def remove(self, name: str) -> None:
        """Delete a file or a folder if it is there."""
        if self.exists(name):
            self.files.rm(self.path(name), recursive=True)


class Output:
    """A folder in the making; use `open_output`."""

    def __init__(self, storage: Storage, kind: Kind, settings: dict[str, Any], inputs: dict[str, str]) -> None:
        self.storage, self.kind, self.settings, self.inputs = storage, kind, settings, inputs
        self.finished: Manifest | None = None

    def has(self, shard: str) -> bool:
        """Tell whether a shard and its facts are there; both are written atomically, the facts last."""
        return self.storage.exists(f"{PROGRESS}/{shard}.json") and self.storage.exists(shard)

    def commit(
        self,
        shard: str,
        data: bytes,
        counts: dict[str, int],
        drops: Sequence[Drop] = (),
        unlisted: Mapping[str, int] | None = None,
    ) -> None:
        """Write one shard and then its facts. `counts` are summed over shards into the manifest's.

        `unlisted` are drops by reason that are counted but not listed in drops.jsonl.
        """
        if drops:
            listed = "".join(json.dumps(asdict(drop), ensure_ascii=False) + "\n" for drop in drops)
            self.storage.write(f"{PROGRESS}/{shard}.drops", listed.encode())
        self.storage.write(shard, data)
        facts = {"name": shard, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "counts": counts}
        reasons = Counter(drop.reason for drop in drops) + Counter(dict(unlisted or {}))
        self._write_facts(shard, facts | {"drops": dict(reasons)})

    def _write_facts(self, shard: str, facts: dict[str, Any]) -> None:
        self.storage.write(f"{PROGRESS}/{shard}.json", pretty(facts).encode())

    def missing(self, shards: Sequence[str]) -> list[str]:
        """Return which of the shards are not there yet."""
        return [shard for shard in shards if not self.has(shard)]

    def finish(
        self, shards: Sequence[str], facts: dict[str, Any] | None = None, drops: Iterable[Drop] = ()
    ) -> Manifest:
        """Write drops.jsonl and then manifest.json; `drops` are those that belong to no shard."""
        absent = self.missing(shards)
        if absent:
            raise InputError(f"{self.storage.folder}: {len(absent)} of {len(shards)} shards missing, e.g. {absent[0]}")
        parts = [json.loads(self.storage.read(f"{PROGRESS}/{shard}.json")) for shard in shards]
        counts, reasons, more = Counter(), Counter(), list(drops)
        for part in parts:
            counts.update(part.pop("counts") | {})
            reasons.update(part.pop("drops"))
        reasons.update(drop.reason for drop in more)
        self._write_drops(shards, more)
        self._sweep()
        manifest = Manifest(
            self.kind, self.settings, self.inputs, _ordered(counts), _ordered(reasons), parts, dict(facts or {})
        )
        self.storage.write(MANIFEST, pretty(asdict(manifest) | {"hash": manifest.hash}).encode())
        self.storage.remove(PROGRESS)
        self.finished = manifest
        return manifest

    def _sweep(self) -> None:
        """Remove what writers left that were killed in the middle of a file."""
        for name in self.storage.names():
            if name.endswith(".part"):
                self.storage.remove(name)

    def _write_drops(self, shards: Sequence[str], more: Sequence[Drop]) -> None:
        listed = [name for shard in shards if self.storage.exists(name := f"{PROGRESS}/{shard}.drops")]
        rows = "".join(json.dumps(asdict(drop), ensure_ascii=False) + "\n" for drop in more).encode()
        if listed or rows:
            self.storage.write_parts(DROPS, itertools.chain((self.storage.read(name) for name in listed), [rows]))


def _ordered(counter: Counter) -> dict[str, int]:
    return {key: int(counter[key]) for key in sorted(counter)}


def open_output(folder: str, kind: Kind, settings: dict[str, Any], inputs: dict[str, str] | None = None) -> Output:
    """Open a folder for writing: new, unfinished under the same settings, or finished (`output.finished` is set).

    InputError where it was made under other settings or from other inputs, or holds somebody else's files.
    """
    storage, inputs = Storage(folder), dict(inputs or {})
    output = Output(storage, kind, json.loads(json.dumps(settings)), inputs)
    if storage.exists(MANIFEST):
        output.finished = read_manifest(folder)
        _compare(folder, output, asdict(output.finished))
    elif storage.exists(BEGUN):
        _compare(folder, output, json.loads(storage.read(BEGUN)))
    else:
        strangers = [name for name in storage.names() if not name.startswith(".") and not name.endswith(".log")]
        if strangers:
            raise InputError(f"{folder}: not empty and not made by glyphline ({strangers[0]!r}); name another folder")
        storage.write(BEGUN, pretty({"kind": kind, "settings": settings, "inputs": inputs}).encode())
    if not output.finished:
        log_to(storage, kind)
    return output


def _compare(folder: str, output: Output, old: dict[str, Any]) -> None:
    """Raise InputError that names the keys in which the folder's settings differ from the ones asked for."""
    if old["kind"] != output.kind:
        raise InputError(f"{folder}: holds {old['kind']}, not {output.kind}; name another folder")
    before = old["settings"] | {f"input {key}": value for key, value in old["inputs"].items()}
    keys = differing_keys(before, output.settings | {f"input {key}": value for key, value in output.inputs.items()})
    if keys:
        raise InputError(f"{folder}: made under other settings: {keys}; name another folder or delete this one")


def differing_keys(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Return 'key (old -> new), …' for the first five dotted keys in which nested settings differ; '' for none."""
    flat_before, flat_now = _flat(before), _flat(now)
    keys = sorted(k for k in flat_before.keys() | flat_now.keys() if flat_before.get(k) != flat_now.get(k))
    return ", ".join(f"{k} ({_short(flat_before.get(k))} -> {_short(flat_now.get(k))})" for k in keys[:5])


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401
    """Return nested dicts and lists as one dict with dotted keys."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, item in items for k, v in _flat(item, f"{prefix}{key}.").items()}
    return {prefix.rstrip("."): value}


def _short(value: Any) -> str:  # noqa: ANN401
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "…"


def log_to(storage: Storage, command: str) -> None:
    """Add a log file `<command>.log` in a local folder, beside what goes to the screen."""
    if not storage.is_local:
        return
    handler = logging.FileHandler(storage.path(f"{command}.log"), encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)


def read_manifest(folder: str, kind: Kind | None = None) -> Manifest:
    """Read a finished folder's manifest. InputError where it is missing, unfinished, damaged or of another kind."""
    storage = Storage(folder)
    if not storage.exists(MANIFEST):
        state = "unfinished: run its command again" if storage.exists(BEGUN) else "no manifest.json here"
        raise InputError(f"{folder}: {state if storage.exists() else 'no such folder'}")
    try:
        content = json.loads(storage.read(MANIFEST))
        recorded = content.pop("hash")
        manifest = Manifest(**content)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}/{MANIFEST}: damaged ({error})") from error
    if recorded != manifest.hash:
        raise InputError(f"{folder}/{MANIFEST}: was changed by hand (hash differs); make the folder again")
    if kind and manifest.kind != kind:
        raise InputError(f"{folder}: holds {manifest.kind}, a folder of {kind} is needed")
    return manifest


def text_schema() -> Any:  # noqa: ANN401
    """Return the Arrow schema of a corpus shard."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ("id", "text", "language", "source", "split")])


def lines_schema() -> Any:  # noqa: ANN401
    """Return the Arrow schema of a lines shard; its metadata tells Hugging Face datasets that `image` is an Image."""
    import pyarrow as pa

    names = ("id", "text", "language", "source", "split", "provenance")
    features = {"image": {"_type": "Image"}} | {name: {"dtype": "string", "_type": "Value"} for name in names}
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [("image", image), *((name, pa.string()) for name in names)]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def pack_corpus(lines: Sequence[TextLine]) -> bytes:
    """Return a corpus shard as Parquet."""
    return pack_columns({name: [getattr(line, name) for line in lines] for name in text_schema().names})


def pack_columns(columns: Mapping[str, Sequence[str]]) -> bytes:
    """Return a corpus shard as Parquet from its columns: for writers that hold no records."""
    return _parquet(dict(columns), text_schema(), "zstd", 65536)


def pack_lines(samples: Sequence[tuple[Sample, bytes]]) -> bytes:
    """Return a lines shard as Parquet from samples and their encoded pictures."""
    rows: dict[str, list] = {"image": [{"bytes": data, "path": None} for _, data in samples]}
    for name in ("id", "text", "language", "source", "split"):
        rows[name] = [getattr(sample, name) for sample, _ in samples]
    rows["provenance"] = [json.dumps(s.provenance, sort_keys=True, ensure_ascii=False) for s, _ in samples]
    return _parquet(rows, lines_schema(), "zstd", 256)


def _parquet(rows: dict[str, list], schema: Any, compression: str, group: int) -> bytes:  # noqa: ANN401
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(rows, schema=schema), sink, compression=compression, row_group_size=group)
    return sink.getvalue().to_pybytes()


def read_shards(folder: str, kind: Kind, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Yield the Arrow tables of a finished folder in order. InputError where a shard is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    storage = Storage(folder)
    for shard in read_manifest(folder, kind).shards:
        if not storage.exists(shard["name"]):
            raise InputError(f"{folder}/{shard['name']}: missing, though the manifest names it; make the folder again")
        try:
            with storage.files.open(storage.path(shard["name"]), "rb") as handle:
                yield pq.read_table(handle, columns=list(columns) if columns else None)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{folder}/{shard['name']}: damaged ({error}); make the folder again") from error


def read_corpus(folder: str, split: str | None = None) -> Iterator[TextLine]:
    """Yield the lines of a corpus, all or of one split."""
    for table in read_shards(folder, "corpus"):
        for row in table.to_pylist():
            if split is None or row["split"] == split:
                yield TextLine(**row)


def read_lines(folder: str, split: str | None = None) -> Iterator[Sample]:
    """Yield the line images of a finished folder with their texts, all or of one split, a row group at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from glyphline.images import decode

    storage = Storage(folder)
    for shard in read_manifest(folder, "lines").shards:
        try:
            with storage.files.open(storage.path(shard["name"]), "rb") as handle:
                for batch in pq.ParquetFile(handle).iter_batches(batch_size=256):
                    for row in batch.to_pylist():
                        if split is None or row["split"] == split:
                            pixels = decode(row.pop("image")["bytes"], f"{folder}/{shard['name']}: {row['id']}")
                            yield Sample(image=pixels, **row | {"provenance": json.loads(row["provenance"] or "{}")})
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{folder}/{shard['name']}: missing or damaged ({error}); make the folder again"
            ) from error


def verify(folder: str) -> list[str]:
    """Return the shards whose bytes are not what the manifest says."""
    storage, bad = Storage(folder), []
    for shard in read_manifest(folder).shards:
        here = storage.exists(shard["name"]) and hashlib.sha256(storage.read(shard["name"])).hexdigest()
        if here != shard["sha256"]:
            bad.append(shard["name"])
    return bad
