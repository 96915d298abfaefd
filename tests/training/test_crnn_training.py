"""The crnn family through the commands: train, doctor, score, read, publish; resumed runs; a second stage."""

import json
import shutil

import pytest
import torch
from lines import bar_code
from PIL import Image
from safetensors.torch import load_file

from glyphline.delivery.publish import main as publish
from glyphline.delivery.read import main as read
from glyphline.evaluation.run import main as score
from glyphline.models import load_recogniser
from glyphline.training.doctor import main as doctor
from glyphline.training.run import main

CONFIG = """
model:
  family: crnn
  canvas: {{height: 32, width: 128, width_step: 32}}
  max_length: 12
  options: {{lstm_size: 24, lstm_layers: 1, column_width: 4}}
data:
  train: [{{lines: {lines}}}]
  validation: {{bars: {{lines: {lines}}}}}
optimisation: {{steps: 40, batch_size: 8, learning_rate: 0.004}}
control: {{evaluate_every: 20, log_every: 10, report_to: []}}
threads: 1
device: cpu
"""


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("finished") / "run"
    assert main(["--config", config, "--output", str(output)]) == 0
    return output


def test_it_learns_and_chooses_how_to_read(finished):
    metrics = json.loads((finished / "result.json").read_text())["metrics"]
    assert metrics["eval_bars_cer"] <= min(metrics["eval_bars_ctc_cer"], metrics["eval_bars_beam_cer"]) < 0.5
    model = load_recogniser(str(finished), "cpu")
    assert model.card.family == "crnn"
    assert model.card.charset == "가나다라마"
    assert model.language is not None
    assert model.read([bar_code("가나다"), bar_code("마라")])[1].text


def test_a_resumed_run_ends_with_the_same_weights(config, finished, tmp_path):
    """What a kill after the first checkpoint leaves behind, statistics of batch normalisation included."""
    killed = tmp_path / "killed"
    shutil.copytree(finished, killed)
    shutil.rmtree(killed / "model")
    shutil.rmtree(killed / "checkpoints" / "checkpoint-40")
    (killed / "result.json").unlink()
    assert main(["--config", config, "--output", str(killed), "--resume", "true"]) == 0
    ours, theirs = (load_file(run / "model" / "model.safetensors") for run in (killed, finished))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (killed / "model" / "language.safetensors").read_bytes() == (
        finished / "model" / "language.safetensors"
    ).read_bytes()


def test_the_other_commands_take_it(config, finished, lines, tmp_path, capsys):
    assert doctor(["--config", config, "--overfit_steps", "0"]) == 0
    report = capsys.readouterr().out
    assert "5 characters" in report
    assert "0 lines with too few" in report
    options = [
        "--model",
        str(finished),
        "--lines",
        lines,
        "--split",
        "validation",
        "--output",
        str(tmp_path / "scores"),
    ]
    assert not score(options)
    figures = json.loads((tmp_path / "scores" / "metrics.json").read_text())["modes"]
    assert set(figures) == {"ctc", "beam"}
    Image.fromarray(bar_code("가나다")).save(tmp_path / "line.png")
    capsys.readouterr()
    assert not read(["--model", str(finished), str(tmp_path / "line.png"), "--mode", "beam"])
    assert set(capsys.readouterr().out.strip()) <= set("가나다라마")
    assert not publish(["--model", str(finished), "--output", str(tmp_path / "hub"), "--license", "cc0-1.0"])
    shown = [bar_code("가나다"), bar_code("마라")]
    ours, theirs = (load_recogniser(str(folder), "cpu").read(shown) for folder in (finished, tmp_path / "hub"))
    assert [reading.text for reading in ours] == [reading.text for reading in theirs]


def test_unknown_characters_at_scoring_are_errors_counted(finished, tmp_path):
    from glyphline.evaluation.scores import score_modes
    from glyphline.records import Sample

    sample = Sample("1", bar_code("가나"), "xy", "ko", "bars", "test", {})
    assert score_modes(load_recogniser(str(finished), "cpu"), [sample], ("ctc",))["ctc"].cer >= 1.0


def test_a_second_stage_grows_and_keeps_counting(finished, lines, tmp_path):
    text = tmp_path / "lines.txt"
    text.write_text("café\nbleu\n" * 4, encoding="utf-8")
    config = tmp_path / "stage2.yaml"
    config.write_text(
        CONFIG.format(lines=lines)
        .replace("  family: crnn\n", f"  start: {finished}\n")
        .replace("  canvas: {height: 32, width: 128, width_step: 32}\n  max_length: 12\n", "")
        .replace("  options: {lstm_size: 24, lstm_layers: 1, column_width: 4}\n", "  options: {beam_width: 4}\n")
        .replace("steps: 40", "steps: 4")
        .replace(f"[{{lines: {lines}}}]", f"[{{lines: {lines}}}, {{corpus: {text}}}]"),
        encoding="utf-8",
    )
    assert main(["--config", str(config), "--output", str(tmp_path / "run")]) == 0
    before, after = load_recogniser(str(finished), "cpu"), load_recogniser(str(tmp_path / "run"), "cpu")
    assert set(after.card.charset) == set(before.card.charset) | set("cafébleu")
    assert after.card.options["beam_width"] == 4
    assert after.language.counts[0].sum() > 2 * before.language.counts[0].sum()


def test_lines_with_more_letters_than_frames_are_left_out_and_named(config, tmp_path, caplog, monkeypatch):
    """At 32 pixels a column the bar codes, 16 pixels a letter, have no frame for every letter."""
    monkeypatch.setattr("glyphline.training.run.quieten", lambda: None)
    options = ["--model.options.column_width", "32", "--optimisation.steps", "2", "--output", str(tmp_path / "run")]
    with caplog.at_level("WARNING"):
        assert main(["--config", config, *options]) == 0
    assert "have more letters than CTC frames and are left out: ['" in caplog.text
    card = load_recogniser(str(tmp_path / "run"), "cpu").card
    assert 0 < card.data["stage1"]["over_max_length"] < 40


def test_a_tokenizer_would_have_no_effect(config, tmp_path, capsys):
    options = ["--output", str(tmp_path / "run"), "--model.tokenizer.kind", "jamo"]
    assert main(["--config", config, *options]) == 2
    assert "model.tokenizer: a crnn model has none" in capsys.readouterr().err
