"""Ctrl+C and kill -9 on real commands: nothing half-written is taken for whole, and the next run goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RENDER = (
    "render --corpus {texts} --language ko --count 240 --shard_size 20 --seed 3 --split train --preset document "
    "--fonts {fonts} --sheet 0 --output {output}"
)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "lines.txt"
    lines = (ROOT / "demo/text/ko.chatbot.txt").read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line[:20].strip() for line in lines[:400]) + "\n", encoding="utf-8")
    return path


def command(texts, output, *more):
    arguments = RENDER.format(texts=texts, fonts=ROOT / "demo/fonts", output=output).split()
    return [sys.executable, "-m", "glyphline", *arguments, *more]


def heed_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(arguments):
    """Run a command in a process group of its own; nothing of it is left behind."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A job in a shell's background ignores SIGINT, and so would its children.
    with subprocess.Popen(arguments, start_new_session=True, preexec_fn=heed_interrupts, **pipes) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for_shards(folder, count, process, limit_s=240):
    """Wait until a running command has committed some shards, but not all."""
    begun = time.monotonic()
    while len(list(folder.glob(".progress/**/*.parquet.json"))) < count:
        assert process.poll() is None, "ended too early: " + process.stderr.read()
        assert time.monotonic() - begun < limit_s
        time.sleep(0.03)


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".log"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(texts, tmp_path_factory):
    """The same job without an interruption."""
    folder = tmp_path_factory.mktemp("whole") / "lines"
    done = subprocess.run(command(texts, folder), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return contents(folder)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_in_one_line_and_the_next_run_goes_on(texts, whole, tmp_path, workers):
    with started(command(texts, tmp_path / "lines", "--workers", workers)) as process:
        wait_for_shards(tmp_path / "lines", 2, process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
        _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "glyphline render: error: interrupted; the same command goes on from here"
    assert "Traceback" not in err
    assert not (tmp_path / "lines/manifest.json").exists()
    done = subprocess.run(command(texts, tmp_path / "lines"), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "lines") == whole


def test_kill_minus_nine_costs_no_more_than_the_shard_in_the_making(texts, whole, tmp_path):
    for shards in (1, 5):
        with started(command(texts, tmp_path / "lines")) as process:
            wait_for_shards(tmp_path / "lines", shards, process)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=240)
        assert not (tmp_path / "lines/manifest.json").exists()
    progress = tmp_path / "lines/.progress"
    done_before = [str(path.relative_to(progress))[: -len(".json")] for path in progress.rglob("*.parquet.json")]
    kept = {name: (tmp_path / "lines" / name).stat().st_mtime_ns for name in done_before}
    done = subprocess.run(command(texts, tmp_path / "lines"), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "lines") == whole
    assert kept and all((tmp_path / "lines" / name).stat().st_mtime_ns == kept[name] for name in kept)


def test_other_settings_do_not_touch_a_finished_folder(texts, whole, tmp_path):
    done = subprocess.run(command(texts, tmp_path / "lines"), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0
    other = subprocess.run(
        command(texts, tmp_path / "lines", "--seed", "4"), capture_output=True, text=True, timeout=60
    )
    assert other.returncode == 2 and "seed (3 -> 4)" in other.stderr.splitlines()[-1]
    assert contents(tmp_path / "lines") == whole
    assert json.loads(whole["manifest.json"])["settings"]["seed"] == 3


def test_a_full_disk_stops_the_job_in_one_line_and_space_lets_it_go_on(texts, whole, tmp_path):
    import resource

    limit = max(len(data) for name, data in whole.items() if name.endswith(".parquet")) - 1
    done = subprocess.run(
        command(texts, tmp_path / "lines"),
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("glyphline render: error: ") and "Traceback" not in done.stderr
    assert not list((tmp_path / "lines").rglob("*.part"))
    done = subprocess.run(command(texts, tmp_path / "lines"), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0
    assert contents(tmp_path / "lines") == whole
