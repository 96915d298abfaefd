"""The job: the same bytes with any workers, shards and interruptions; bad input gets one line and exit status 2."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.render.conftest import FONTS, KOREAN

from glyphline.images import decode
from glyphline.manifest import Storage, read_lines, read_manifest
from glyphline.render.job import RenderSettings, main, make_plan, render
from glyphline.render.shards import cut, indices
from glyphline.settings import InputError


def settings(lines_file, output, **more):
    options = {"corpus": lines_file, "output": str(output), "language": "ko", "count": 40, "shard_size": 8, "sheet": 0}
    return RenderSettings(**options | {"fonts": [FONTS], "preset": "document", "height_px": 32} | more)


def contents(folder):
    """Return every file's bytes but the log's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".log"
    }


@pytest.fixture
def reference(lines_file, tmp_path):
    render(settings(lines_file, tmp_path / "reference"))
    return contents(tmp_path / "reference")


@pytest.mark.parametrize("workers", [2, 4])
def test_any_number_of_workers(workers, lines_file, tmp_path, reference):
    render(settings(lines_file, tmp_path / "out", workers=workers))
    assert contents(tmp_path / "out") == reference


def test_any_split_into_runs(lines_file, tmp_path, reference):
    for part in ("3-4/5", "0/5", "1-2/5"):
        done = render(settings(lines_file, tmp_path / "out", shards=part))
    assert done.counts["lines"] == 40
    assert contents(tmp_path / "out") == reference


@pytest.mark.parametrize("layout", ["parquet", "trdg"])
def test_a_full_disk_is_named_and_nothing_is_lost(layout, lines_file, tmp_path, monkeypatch, capsys):
    render(settings(lines_file, tmp_path / "reference", layout=layout))
    calls, flush = [], os.fsync

    def full_after_six(handle):
        calls.append(handle)
        if len(calls) > 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    monkeypatch.setattr(os, "fsync", full_after_six)
    argv = ["--corpus", lines_file, "--output", str(tmp_path / "out"), "--language", "ko", "--count", "40"]
    argv += ["--shard_size", "8", "--sheet", "0", "--fonts", FONTS, "--preset", "document", "--height_px", "32"]
    assert main([*argv, "--layout", layout]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / 'out'}: no space left" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert not list((tmp_path / "out").rglob("*.part"))
    whole = contents(tmp_path / "reference")
    kept = {name: data for name, data in contents(tmp_path / "out").items() if not name.startswith(".progress")}
    assert kept
    assert kept.items() <= whole.items()
    monkeypatch.setattr(os, "fsync", flush)
    render(settings(lines_file, tmp_path / "out", layout=layout))
    assert contents(tmp_path / "out") == whole


def test_other_shards_hold_the_same_lines(lines_file, tmp_path, reference):
    render(settings(lines_file, tmp_path / "out", shards="/2"))
    one, other = (list(read_lines(str(tmp_path / name))) for name in ("reference", "out"))
    assert [s.id for s in one] == [s.id for s in other]
    assert all((a.image == b.image).all() and a.provenance == b.provenance for a, b in zip(one, other, strict=True))


@given(st.dictionaries(st.sampled_from(["train", "validation", "test"]), st.integers(1, 5000), min_size=1), st.data())
def test_every_line_is_in_exactly_one_shard(counts, data):
    shards = data.draw(st.integers(len(counts), max(len(counts), min(60, sum(counts.values())))))
    slices = cut(counts, 0, 1000, shards)
    assert sum(part.shards for part in slices) == shards
    for part in slices:
        covered = [index for number in range(part.shards) for index in indices(part, number)]
        assert covered == list(range(part.count))


def test_on_the_fly_equals_disk(lines_file, tmp_path, reference):
    lines = make_plan(settings(lines_file, tmp_path / "x")).lines("train")
    for index, stored in enumerate(read_lines(str(tmp_path / "reference"))):
        assert stored.id == lines[index].id
        np.testing.assert_array_equal(stored.image, lines[index].image)


def command(lines_file, output, *more):
    base = [sys.executable, "-m", "glyphline", "render", "--corpus", lines_file, "--output", str(output)]
    return [*base, "--language", "ko", "--fonts", FONTS, *more]


def test_killed_three_times_and_resumed(lines_file, tmp_path):
    options = ("--count", "400", "--shard_size", "20", "--preset", "document", "--sheet", "0")
    for workers in ("1", "2", "1"):
        run = subprocess.Popen(
            command(lines_file, tmp_path / "out", *options, "--workers", workers), stderr=subprocess.DEVNULL
        )
        begun, before = time.monotonic(), len(list((tmp_path / "out").rglob("*.parquet")))
        while len(list((tmp_path / "out").rglob("*.parquet"))) < before + 2 and time.monotonic() < begun + 60:
            time.sleep(0.01)
            if run.poll() is not None:
                break
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert subprocess.run(command(lines_file, tmp_path / "out", *options), stderr=subprocess.DEVNULL).returncode == 0
    subprocess.run(command(lines_file, tmp_path / "whole", *options), stderr=subprocess.DEVNULL, check=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_interrupt_ends_with_130_and_is_gone_on_with(lines_file, tmp_path):
    options = ("--count", "4000", "--shard_size", "50", "--workers", "2", "--sheet", "0")
    run = subprocess.Popen(
        command(lines_file, tmp_path / "out", *options),
        stderr=subprocess.PIPE,
        text=True,
        # A job in a shell's background ignores SIGINT, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list((tmp_path / "out").rglob("*.parquet")):
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("layout", ["parquet", "trdg", "webdataset", "imagefolder"])
def test_replay(layout, lines_file, tmp_path, monkeypatch, capsys):
    out = str(tmp_path / "out")
    render(settings(lines_file, out, layout=layout, count=5))
    monkeypatch.chdir(tmp_path)
    assert main(["--replay", "ko-train-0-000000002", "--output", out, "--fonts", FONTS]) == 0
    made = next(tmp_path.glob("ko-train-0-000000002.*"))
    assert decode(made.read_bytes()).shape[0] == 32
    assert main(["--replay", "ko-train-0-000000099", "--output", out, "--fonts", FONTS]) == 2
    assert "no line" in capsys.readouterr().err
    assert main(["--replay", "ko-train-0-000000002", "--output", out, "--fonts", f"{FONTS}/SUIT-Regular.otf"]) == 2
    assert "other fonts" in capsys.readouterr().err


def test_order_given_and_count_beyond_the_texts(lines_file, tmp_path):
    render(settings(lines_file, tmp_path / "out", order="given", count=20))
    texts = [sample.text for sample in read_lines(str(tmp_path / "out"))]
    assert texts == [KOREAN[n % len(KOREAN)] for n in range(20)]


def test_drops_are_listed(tmp_path):
    (tmp_path / "t.txt").write_text("글자\n😀 웃음\n𒀀\n좋아\n", encoding="utf-8")
    manifest = render(settings(str(tmp_path / "t.txt"), tmp_path / "out", count=0))
    assert manifest.counts["lines"] == 2
    assert manifest.drops == {"no_font": 2}
    rows = [json.loads(row) for row in (tmp_path / "out/drops.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["item"] for row in rows} == {"t:2", "t:3"}
    assert any("U+1F600" in row["detail"] for row in rows)


def test_contact_sheet_and_progress(lines_file, tmp_path):
    done = subprocess.run(command(lines_file, tmp_path / "out", "--count", "30"), capture_output=True, text=True)
    assert done.returncode == 0
    assert "lines/s" in done.stderr
    assert decode((tmp_path / "out/contact_sheet.png").read_bytes()).shape[1] == 1600


def test_other_settings_in_the_same_folder_are_refused(lines_file, tmp_path):
    render(settings(lines_file, tmp_path / "out"))
    with pytest.raises(InputError, match="seed"):
        render(settings(lines_file, tmp_path / "out", seed=4))
    with pytest.raises(InputError, match="fonts"):
        render(settings(lines_file, tmp_path / "out", fonts=[f"{FONTS}/SUIT-Regular.otf"]))
    again = render(settings(lines_file, tmp_path / "out"))
    assert again.hash == read_manifest(str(tmp_path / "out")).hash


def bad(tmp_path, data):
    file = tmp_path / "bad.txt"
    file.write_bytes(data)
    return str(file)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("안녕하세요".encode("cp949"), "CP949"),
        ("\ufeff안녕".encode("utf-16"), "UTF-16"),
        (b"", "empty"),
        (b"\n \n", "empty"),
    ],
)
def test_bad_text_files(data, says, tmp_path, capsys):
    assert main(["--corpus", bad(tmp_path, data), "--output", str(tmp_path / "o"), "--language", "ko"]) == 2
    assert says in capsys.readouterr().err


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    file = bad(tmp_path, "\ufeff하나\r\n둘\r\n".encode())
    render(settings(file, tmp_path / "out", count=0, order="given"))
    assert [sample.text for sample in read_lines(str(tmp_path / "out"))] == ["하나", "둘"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--preset", "cleann"], "clean"),
        (["--shards", "4-2/3"], "order"),
        (["--shards", "x"], "a-b/n"),
        (["--engine", "skia"], "native"),
        (["--fonts", "/nowhere"], "/nowhere"),
        (["--recipe.fil", "0.5"], "fill"),
        (["--heigth_px", "32"], "--height_px"),
        (["-tc", "red"], "#282828"),
        (["-m", "5,5"], "four"),
        (["-b", "3", "-id", "/nowhere"], "/nowhere"),
        (["--language", ""], "--language"),
    ],
)
def test_bad_options(more, says, lines_file, tmp_path, capsys):
    base = ["--corpus", lines_file, "--output", str(tmp_path / "o"), "--language", "ko", "--fonts", FONTS]
    assert main([*base, *more]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_corrupt_font_is_left_out_and_a_lone_one_is_an_error(lines_file, tmp_path, caplog):
    folder = tmp_path / "fonts"
    folder.mkdir()
    (folder / "good.ttf").write_bytes(Path(FONTS, "NanumSquareR.ttf").read_bytes())
    (folder / "cut.otf").write_bytes(Path(FONTS, "SUIT-Regular.otf").read_bytes()[:3000])
    (folder / "empty.ttf").write_bytes(b"")
    (folder / "text.ttf").write_text("no font")
    manifest = render(settings(lines_file, tmp_path / "out", fonts=[str(folder)], count=3))
    assert manifest.counts["lines"] == 3
    assert sum("left out" in record.message for record in caplog.records) == 3
    with pytest.raises(InputError, match="fonts"):
        render(settings(lines_file, tmp_path / "o2", fonts=[str(folder / "cut.otf")], count=3))


def test_every_line_dropped_is_an_error(tmp_path):
    (tmp_path / "t.txt").write_text("😀\n", encoding="utf-8")
    with pytest.raises(InputError, match="dropped"):
        render(settings(str(tmp_path / "t.txt"), tmp_path / "out", count=0))


def test_object_storage(lines_file):
    manifest = render(settings(lines_file, "memory://render-job-test", count=10))
    assert Storage("memory://render-job-test").exists(manifest.shards[0]["name"])


@pytest.mark.slow
def test_ray_cluster_of_two_nodes_makes_the_same_bytes(lines_file, tmp_path, reference):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        assert len([node for node in ray.nodes() if node["Alive"]]) == 2
        render(settings(lines_file, tmp_path / "out", executor="ray", workers=2))
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert contents(tmp_path / "out") == reference
