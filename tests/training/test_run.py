"""Runs: exact resumption, bit for bit; finished, foreign and broken folders; what lands in the model folder."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from glyphline.models import load_recogniser
from glyphline.training.folder import last_checkpoint
from glyphline.training.run import main


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("finished") / "run"
    assert main(["--config", config, "--output", str(output)]) == 0
    return output


def weights(run: Path) -> dict[str, torch.Tensor]:
    return {**load_file(run / "model" / "model.safetensors"), **load_file(run / "model" / "ctc.safetensors")}


def assert_same_weights(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_leaves_model_curves_and_log(finished):
    rows = list(csv.DictReader((finished / "curves.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8]
    assert all(row["eval_bars_ctc_cer"] and row["eval_bars_decoder_cer"] for row in rows[1::2])
    assert (finished / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "step 8/8" in (finished / "train.log").read_text()
    card = json.loads((finished / "model" / "glyphline.json").read_text())
    assert (
        card["metrics"]["stage1"]["eval_bars_cer"]
        == json.loads((finished / "result.json").read_text())["metrics"]["eval_bars_cer"]
    )
    assert card["data"]["stage1"]["sources"][0]["lines"] == 40
    assert not list((finished / "model").glob("*.bin"))
    page = (finished / "run.html").read_text()
    assert page.count("data:image/") == 1 + 16  # the curves, eight fixed lines and the eight worst
    assert card["data"]["stage1"]["sources"][0]["manifest"] in page
    assert 'src="http' not in page


def test_the_same_seed_gives_the_same_weights(config, finished, tmp_path):
    assert main(["--config", config, "--output", str(tmp_path / "again")]) == 0
    assert_same_weights(finished, tmp_path / "again")
    assert main(["--config", config, "--output", str(tmp_path / "other"), "--seed", "7"]) == 0
    with pytest.raises(AssertionError):
        assert_same_weights(finished, tmp_path / "other")


def test_workers_do_not_change_the_weights(config, finished, tmp_path):
    assert main(["--config", config, "--output", str(tmp_path / "run"), "--workers", "1"]) == 0
    assert_same_weights(finished, tmp_path / "run")


def test_accumulation_gives_the_loss_of_one_batch_not_its_multiple(config, finished, tmp_path):
    """With stock settings transformers multiplies the loss by the accumulation steps."""
    common = ["--config", config, "--control.log_every", "1", "--optimisation.steps", "1"]
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main([*common, "--output", str(whole), "--optimisation.batch_size", "8"]) == 0
    options = ["--optimisation.batch_size", "4", "--optimisation.accumulate", "2"]
    assert main([*common, "--output", str(halves), *options]) == 0
    losses = [float(next(csv.DictReader((run / "curves.csv").open()))["loss"]) for run in (whole, halves)]
    assert losses[1] == pytest.approx(losses[0], rel=0.15)


def start(config: str, output: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "glyphline", "train", "--config", config, "--output", str(output), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_killed_and_resumed_ends_with_the_same_weights(config, tmp_path):
    """kill -9 at random moments, several times over; longer than the other runs so that the moments differ."""
    options = ["--optimisation.steps", "24", "--control.evaluate_every", "3"]
    options += ["--optimisation.ema", "0.95", "--control.patience", "20", "--optimisation.optimiser", "muon"]
    assert main(["--config", config, "--output", str(tmp_path / "whole"), *options]) == 0
    chance, output = random.Random(5), tmp_path / "killed"
    for attempt in range(3):
        process = start(config, output, "--resume", "true", *options)
        deadline = time.monotonic() + 60
        wanted = 3 * (attempt * 2 + 1)
        while process.poll() is None and time.monotonic() < deadline:
            if (output / "checkpoints" / f"checkpoint-{wanted}").exists():
                time.sleep(chance.random() * 0.3)
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (output / "result.json").exists()
    assert main(["--config", config, "--output", str(output), "--resume", "true", *options]) == 0
    assert_same_weights(tmp_path / "whole", output)
    assert (output / "samples.jsonl").read_text() == (tmp_path / "whole" / "samples.jsonl").read_text()
    stopping, straight = (last_state(run)["stateful_callbacks"] for run in (output, tmp_path / "whole"))
    assert stopping["EarlyStoppingCallback"] == straight["EarlyStoppingCallback"]


def last_state(run: Path) -> dict:
    return json.loads((last_checkpoint(run / "checkpoints") / "trainer_state.json").read_text())


def test_interrupt_saves_and_resumes_exactly(config, tmp_path):
    options = ["--optimisation.steps", "40", "--control.evaluate_every", "20"]
    output = tmp_path / "run"
    process = start(config, output, *options)
    for line in process.stderr:
        if line.startswith("step 2/"):
            break
    process.send_signal(signal.SIGTERM)
    message = process.stderr.read()
    assert process.wait() == 130, message
    stopped = last_checkpoint(output / "checkpoints")
    assert stopped is not None
    assert stopped.name != "checkpoint-20"
    assert main(["--config", config, "--output", str(output), "--resume", "true", *options]) == 0
    assert main(["--config", config, "--output", str(tmp_path / "whole"), *options]) == 0
    assert_same_weights(tmp_path / "whole", output)


def test_half_written_checkpoints_are_not_resumed_from(tmp_path):
    for step, state in ((4, "{}"), (8, '{"cut'), (12, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path).name == "checkpoint-4"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-4"]


def test_folders_that_do_not_fit_are_refused(config, finished, tmp_path, capsys):
    arguments = ["--config", config, "--output"]
    assert main([*arguments, str(finished)]) == 0  # finished: nothing to do
    assert main([*arguments, str(finished), "--optimisation.learning_rate", "0.5"]) == 2
    assert "optimisation.learning_rate (0.002 -> 0.5)" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    assert main([*arguments, str(tmp_path / "full")]) == 2
    assert "not a training run" in capsys.readouterr().err
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "settings.json").write_text((finished / "settings.json").read_text())
    assert main([*arguments, str(tmp_path / "begun")]) == 2
    assert "add --resume" in capsys.readouterr().err


def test_continue_from_leaves_the_old_run_untouched(config, finished, tmp_path):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and path.suffix != ".log"}
    output = tmp_path / "longer"
    options = ["--continue-from", str(finished), "--optimisation.steps", "12"]
    assert main(["--config", config, "--output", str(output), *options]) == 0
    assert json.loads((output / "result.json").read_text())["steps"] == 12
    assert main(["--config", config, "--output", str(output), *options]) == 0
    assert (tmp_path / "longer-2" / "model").exists()
    assert before == {path: path.read_bytes() for path in before}


def test_stage_two_starts_from_stage_one(config, finished, tmp_path):
    text = Path(config).read_text(encoding="utf-8")
    lines = text[text.index("data:") :]
    stage_two = tmp_path / "stage2.yaml"
    stage_two.write_text(f"model: {{start: {finished}}}\n{lines}", encoding="utf-8")
    assert main(["--config", str(stage_two), "--output", str(tmp_path / "run")]) == 0
    card = load_recogniser(str(tmp_path / "run"), "cpu").card
    assert sorted(card.settings) == sorted(card.metrics) == ["stage1", "stage2"]
    assert card.canvas.width == 128
    broken = tmp_path / "broken.yaml"
    broken.write_text(f"model: {{start: {finished}, max_length: 9}}\n{lines}", encoding="utf-8")
    assert main(["--config", str(broken), "--output", str(tmp_path / "none")]) == 2


def test_the_flags_of_older_scripts(config, finished, tmp_path):
    """One folder, a number of passes, weights to start from: no file is needed."""
    lines = json.loads((finished / "settings.json").read_text())["data"]["train"][0]["lines"]
    options = ["--dataset", lines, "--weights", str(finished), "--epochs", "2", "--batch_size", "20", "--lr", "1e-4"]
    quiet = ["--control.report_to", "[]", "--device", "cpu", "--threads", "1"]
    assert main([*options, *quiet, "--output", str(tmp_path / "run")]) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["steps"] == 4
    assert "eval_lines_cer" in result["metrics"]
    options[0] = "--data"
    assert main([*options, *quiet, "--output", str(tmp_path / "run")]) == 0  # finished: the same settings


def test_it_learns(config, tmp_path):
    """Forty bar codes for a few seconds: reading must become nearly right, not just the loss small."""
    options = ["--optimisation.steps", "250", "--control.evaluate_every", "250", "--optimisation.batch_size", "16"]
    sizes = '{"encoder_size": 48, "encoder_layers": 2, "encoder_heads": 2, "decoder_size": 48, "decoder_heads": 2}'
    more = ["--model.options", sizes, "--optimisation.learning_rate", "0.003"]
    assert main(["--config", config, "--output", str(tmp_path / "run"), *options, *more]) == 0
    metrics = json.loads((tmp_path / "run" / "result.json").read_text())["metrics"]
    assert metrics["eval_bars_cer"] < 0.1, metrics
