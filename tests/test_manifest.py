"""Folders between stages: whole or not there, the same bytes whatever happened on the way."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphline import images
from glyphline.manifest import (
    Storage,
    digest,
    lines_schema,
    open_output,
    pack_corpus,
    pack_lines,
    read_corpus,
    read_manifest,
    read_shards,
    verify,
)
from glyphline.records import Drop, Sample, TextLine
from glyphline.settings import InputError

SETTINGS = {"language": "ko", "limits": {"longest": 40}, "sources": [{"name": "text"}]}


def line(number, text=None):
    return TextLine(f"{number:04}", text or f"줄 {number}", "ko", "test", "train" if number % 3 else "test")


def sample(number):
    picture = np.full((16, 40), 255 - number, np.uint8)
    return Sample(f"{number:04}", picture, f"줄 {number}", "ko", "test", "train", {"font": "가.ttf", "index": number})


def make(folder, shards=3, stop_after=None):
    """Make a corpus of `shards` shards as a command does; return the manifest, None where it stopped before."""
    output = open_output(str(folder), "corpus", SETTINGS, {"file": "abc"})
    names = [f"part-{number:05}.parquet" for number in range(shards)]
    for number, name in enumerate(names):
        if number == stop_after:
            return None
        if not output.has(name):
            drops = [Drop("too-long", f"item {number}", "41 > 40")] if number % 2 else []
            output.commit(name, pack_corpus([line(2 * number), line(2 * number + 1)]), {"lines": 2}, drops)
    return output.finish(names, {"longest": 5}, [Drop("duplicate", "x"), Drop("duplicate", "y")])


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.suffix != ".log" and path.is_file()}


def test_what_was_written_is_read(tmp_path):
    manifest = make(tmp_path / "a")
    assert read_manifest(str(tmp_path / "a"), "corpus") == manifest
    assert manifest.counts == {"lines": 6}
    assert manifest.drops == {"duplicate": 2, "too-long": 1}
    assert list(read_corpus(str(tmp_path / "a"))) == [line(number) for number in range(6)]
    assert [got.id for got in read_corpus(str(tmp_path / "a"), "test")] == ["0000", "0003"]
    listed = [json.loads(row) for row in (tmp_path / "a/drops.jsonl").read_text().splitlines()]
    assert Counter(drop["reason"] for drop in listed) == Counter(manifest.drops)
    assert verify(str(tmp_path / "a")) == []
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "corpus.log",
        "drops.jsonl",
        "manifest.json",
        "part-00000.parquet",
        "part-00001.parquet",
        "part-00002.parquet",
    ]


def test_the_manifest_tells_nothing_of_place_or_time(tmp_path, monkeypatch):
    make(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    time.sleep(0.01)
    make("b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert str(tmp_path) not in (tmp_path / "a/manifest.json").read_text()


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_an_interrupted_folder_is_gone_on_with(tmp_path, stop_after):
    make(tmp_path / "whole")
    make(tmp_path / "a", stop_after=stop_after)
    with pytest.raises(InputError, match="unfinished: run its command again"):
        read_manifest(str(tmp_path / "a"))
    first = tmp_path / "a/part-00000.parquet"
    before = first.stat().st_mtime_ns if stop_after else None
    make(tmp_path / "a")
    assert contents(tmp_path / "a") == contents(tmp_path / "whole")
    assert before is None or first.stat().st_mtime_ns == before


def test_a_finished_folder_is_left_alone(tmp_path):
    make(tmp_path / "a")
    before = contents(tmp_path / "a")
    output = open_output(str(tmp_path / "a"), "corpus", SETTINGS, {"file": "abc"})
    assert output.finished == read_manifest(str(tmp_path / "a"))
    assert contents(tmp_path / "a") == before


@pytest.mark.parametrize("stop_after", [None, 1])
@pytest.mark.parametrize(
    ("changed", "inputs", "named"),
    [
        (SETTINGS | {"language": "en"}, {"file": "abc"}, 'language ("ko" -> "en")'),
        (SETTINGS | {"limits": {"longest": 50}}, {"file": "abc"}, "limits.longest (40 -> 50)"),
        (SETTINGS | {"sources": [{"name": "csv"}]}, {"file": "abc"}, 'sources.0.name ("text" -> "csv")'),
        (SETTINGS, {"file": "abd"}, 'input file ("abc" -> "abd")'),
        (SETTINGS | {"new": 1}, {"file": "abc"}, "new (null -> 1)"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, stop_after, changed, inputs, named):
    make(tmp_path / "a", stop_after=stop_after)
    before = contents(tmp_path / "a")
    with pytest.raises(InputError) as caught:
        open_output(str(tmp_path / "a"), "corpus", changed, inputs)
    assert named in str(caught.value) and "name another folder" in str(caught.value)
    assert contents(tmp_path / "a") == before


def test_another_kind_is_refused(tmp_path):
    make(tmp_path / "a")
    with pytest.raises(InputError, match="holds corpus, not lines"):
        open_output(str(tmp_path / "a"), "lines", SETTINGS, {"file": "abc"})
    with pytest.raises(InputError, match="a folder of lines is needed"):
        read_manifest(str(tmp_path / "a"), "lines")


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match="not empty and not made by glyphline"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_manifest(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"no manifest\.json here"):
        read_manifest(str(tmp_path))
    make(tmp_path / "a")
    manifest = tmp_path / "a/manifest.json"
    whole = manifest.read_text()
    manifest.write_text(whole.replace('"lines": 6', '"lines": 7'))
    with pytest.raises(InputError, match="changed by hand"):
        read_manifest(str(tmp_path / "a"))
    manifest.write_text(whole[:100])
    with pytest.raises(InputError, match="damaged"):
        read_manifest(str(tmp_path / "a"))
    manifest.write_text(whole)
    shard = tmp_path / "a/part-00001.parquet"
    data = shard.read_bytes()
    shard.write_bytes(data[:-20])
    assert verify(str(tmp_path / "a")) == ["part-00001.parquet"]
    with pytest.raises(InputError, match=r"part-00001\.parquet: damaged"):
        list(read_corpus(str(tmp_path / "a")))
    shard.unlink()
    assert verify(str(tmp_path / "a")) == ["part-00001.parquet"]
    with pytest.raises(InputError, match=r"part-00001\.parquet: missing"):
        list(read_corpus(str(tmp_path / "a")))


def test_finishing_without_all_shards_is_refused(tmp_path):
    output = open_output(str(tmp_path / "a"), "corpus", SETTINGS)
    output.commit("a.parquet", pack_corpus([line(1)]), {"lines": 1})
    with pytest.raises(InputError, match=r"1 of 2 shards missing, e\.g\. b\.parquet"):
        output.finish(["a.parquet", "b.parquet"])
    assert not (tmp_path / "a/manifest.json").exists()


def test_a_shard_without_its_facts_does_not_count(tmp_path):
    output = open_output(str(tmp_path / "a"), "corpus", SETTINGS)
    output.storage.write("a.parquet", b"half a job")
    assert not output.has("a.parquet")
    assert output.missing(["a.parquet"]) == ["a.parquet"]


KILLED = """
    import sys, time
    sys.path.insert(0, sys.argv[2])
    import test_manifest
    slow = test_manifest.pack_corpus
    def pack(lines):
        time.sleep(0.05)
        return slow(lines)
    test_manifest.pack_corpus = pack
    print("begun", flush=True)
    test_manifest.make(sys.argv[1], shards=40)
"""


@pytest.mark.parametrize("delay_s", [0.02, 0.33, 0.71])
def test_kill_minus_nine_loses_nothing_that_was_committed(tmp_path, delay_s):
    make(tmp_path / "whole", shards=40)
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "a"), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "a/manifest.json").exists()
    kept = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "a").glob("*.parquet")}
    facts = {p.name.removesuffix(".json") for p in (tmp_path / "a/.progress").glob("*.parquet.json")}
    make(tmp_path / "a", shards=40)
    assert all((tmp_path / "a" / name).stat().st_mtime_ns == kept[name] for name in facts)
    assert contents(tmp_path / "a") == contents(tmp_path / "whole")


def test_what_a_killed_writer_left_is_swept_away(tmp_path):
    make(tmp_path / "a", stop_after=2)
    (tmp_path / "a/part-00002.parquet.12345.part").write_bytes(b"half")
    make(tmp_path / "a")
    assert not list((tmp_path / "a").rglob("*.part"))


FULL = """
    import sys
    from glyphline.manifest import open_output
    from glyphline.settings import command
    from dataclasses import dataclass
    @dataclass
    class Nothing:
        '''N.'''
    @command(Nothing, name="fill", example="x")
    def main(settings):
        '''Fill the disk.'''
        output = open_output(sys.argv[1], "corpus", {})
        output.commit("small.parquet", bytes(10), {"lines": 1})
        output.commit("large.parquet", bytes(10**6), {"lines": 1})
        output.finish(["small.parquet", "large.parquet"])
    sys.exit(main([]))
"""


def test_a_full_disk_ends_in_one_line_and_leaves_no_half_shard(tmp_path):
    # A limit on file size is the full disk that needs no rights: write() fails half way through the shard.
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path / "a")],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("glyphline fill: error: ") and done.stderr.count("\n") == 1
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [".progress", "corpus.log", "small.parquet"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_really_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        command = [sys.executable, "-c", textwrap.dedent(FULL), str(disk / "a")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "No space left on device" in done.stderr
        assert sorted(path.name for path in (disk / "a").iterdir()) == [".progress", "corpus.log", "small.parquet"]
    finally:
        subprocess.run(["umount", disk], check=True)


def test_lines_open_with_plain_datasets(tmp_path):
    output = open_output(str(tmp_path / "a"), "lines", SETTINGS)
    pairs = [(sample(number), images.encode(sample(number).image)) for number in range(5)]
    output.commit("part-00000.parquet", pack_lines(pairs), {"lines": 5})
    output.finish(["part-00000.parquet"])
    (table,) = read_shards(str(tmp_path / "a"), "lines", ["text", "provenance"])
    assert table.column("text").to_pylist() == [f"줄 {number}" for number in range(5)]
    import datasets

    files = {"train": str(tmp_path / "a/*.parquet")}
    rows = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))["train"]
    assert isinstance(rows.features["image"], datasets.Image)
    for number, row in enumerate(rows):
        assert np.array_equal(np.asarray(row["image"]), sample(number).image)
        assert json.loads(row["provenance"]) == {"font": "가.ttf", "index": number}
        assert row["text"] == f"줄 {number}"


def test_the_schema_is_what_datasets_writes():
    import datasets

    text = datasets.Value("string")
    names = ("id", "text", "language", "source", "split", "provenance")
    features = datasets.Features({"image": datasets.Image()} | dict.fromkeys(names, text))
    assert lines_schema().equals(features.arrow_schema)
    assert datasets.Features.from_arrow_schema(lines_schema()) == features


def test_another_file_system_works_alike():
    folder = "memory://glyphline-test/a"
    try:
        make(folder, stop_after=1)
        manifest = make(folder)
        assert read_manifest(folder) == manifest
        assert [got.text for got in read_corpus(folder)] == [f"줄 {number}" for number in range(6)]
        assert verify(folder) == []
    finally:
        Storage("memory://glyphline-test").remove("")


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_the_digest_is_that_of_canonical_json(value):
    shuffled = json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert digest(value) == digest(shuffled)
    independent = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert digest(value) == hashlib.sha256(independent).hexdigest()


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5))
def test_texts_survive_a_shard(texts):
    import io

    import pyarrow.parquet as pq

    lines = [TextLine(str(number), text, "ko", "s", "train") for number, text in enumerate(texts)]
    rows = pq.read_table(io.BytesIO(pack_corpus(lines))).to_pylist()
    assert [TextLine(**row) for row in rows] == lines
