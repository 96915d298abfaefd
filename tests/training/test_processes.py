"""Two processes (gloo, CPU) against one with twice the batch: the same curve, every line counted once."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lines import write_config, write_lines

from glyphline.evaluation.run import main as score
from glyphline.training.run import main

COMMON = [
    "--model.canvas.width_step", "128", "--model.options.dropout", "0", "--control.log_every", "1",
    "--optimisation.steps", "6", "--control.evaluate_every", "3",
]  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    return write_config(folder, write_lines(folder / "lines", validation=11))  # not even: one process has a line more


def torchrun(*arguments: str, processes: int = 2, stage: str = "train") -> subprocess.CompletedProcess:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [*launch, "-m", "glyphline", stage, *arguments],
        capture_output=True, text=True, timeout=300, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def curve(run: Path) -> list[dict[str, float]]:
    rows = csv.DictReader((run / "curves.csv").open())
    shown = ("loss", "loss_", "grad_norm", "learning_rate", "eval_")
    return [{k: float(v) for k, v in row.items() if v and k.startswith(shown)} for row in rows]


def test_two_processes_learn_as_one_with_twice_the_batch(config, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(["--config", config, "--output", str(one), *COMMON, "--optimisation.batch_size", "8"]) == 0
    done = torchrun("--config", config, "--output", str(two), *COMMON, "--optimisation.batch_size", "4")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("step 6/6  loss") == 1, "one process speaks"
    expected, found = curve(one), curve(two)
    assert len(expected) == len(found) == 6
    for before, after in zip(expected, found, strict=True):
        for name in ("loss", "grad_norm", "learning_rate"):
            assert after[name] == pytest.approx(before[name], rel=2e-3), name
    lines = [json.loads(row)["lines"] for row in (two / "samples.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines[0]] == [f"validation-{number}" for number in range(8)]
    assert {k: v for k, v in found[-1].items() if "eval" in k}.keys() >= {"eval_bars_cer", "eval_bars_ctc_cer"}
    assert_two_score_as_one(str(two), json.loads((two / "settings.json").read_text()), tmp_path)


def assert_two_score_as_one(model, settings, tmp_path):
    lines = settings["data"]["train"][0]["lines"]
    options = ["--model", model, "--lines", lines, "--split", "validation", "--device", "cpu"]
    assert score([*options, "--output", str(tmp_path / "alone")]) in (0, None)
    done = torchrun(*options, "--output", str(tmp_path / "shared"), stage="score")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("report:") == 1, "one process speaks"
    files = [tmp_path / name / "predictions.jsonl" for name in ("alone", "shared")]
    assert files[0].read_text() == files[1].read_text()


def test_accumulated_steps_are_the_same_steps(config, tmp_path):
    curves = []
    for batch, parts in ((8, 1), (2, 4)):
        run = tmp_path / str(parts)
        sizes = ["--optimisation.batch_size", str(batch), "--optimisation.accumulate", str(parts)]
        assert main(["--config", config, "--output", str(run), *COMMON, *sizes]) == 0
        curves.append(curve(run))
    for before, after in zip(*curves, strict=True):
        for name in ("loss", "grad_norm"):
            assert after[name] == pytest.approx(before[name], rel=2e-3), name


def test_two_processes_score_as_one(config, tmp_path):
    """The same weights, read by one process and by two."""
    run = tmp_path / "run"
    assert main(["--config", config, "--output", str(run), *COMMON]) == 0
    folder = tmp_path / "second.yaml"
    text = Path(config).read_text(encoding="utf-8")
    folder.write_text(f"model: {{start: {run}}}\n{text[text.index('data:') :]}", encoding="utf-8")
    still = ["--optimisation.learning_rate", "0", "--optimisation.steps", "1"]
    done = torchrun("--config", str(folder), "--output", str(tmp_path / "two"), *still)
    assert done.returncode == 0, done.stderr
    assert main(["--config", str(folder), "--output", str(tmp_path / "one"), *still]) == 0
    one, two = (json.loads((tmp_path / name / "result.json").read_text())["metrics"] for name in ("one", "two"))
    assert one == two
    assert one


def test_an_error_of_the_main_process_ends_all(config, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    done = torchrun("--config", config, "--output", str(tmp_path / "thesis"))
    assert done.returncode != 0
    assert done.stderr.count("not a training run") >= 1
