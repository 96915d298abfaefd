"""The doctor passes what can learn and fails what cannot, naming what to change."""

from pathlib import Path

import pytest
import torch
from lines import write_config, write_lines

from glyphline.training import doctor
from glyphline.training.doctor import main


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    return write_config(folder, write_lines(folder / "lines"))


def verdicts(text: str) -> dict[str, str]:
    rows = [line for line in text.splitlines() if line[:7].strip() in ("ok", "warning", "FAILED")]
    return {row[9:27].strip(): row[:8].strip() for row in rows}


def test_a_sound_configuration_passes_every_check(config, capsys):
    sizes = '{"encoder_size": 48, "encoder_layers": 2, "encoder_heads": 2, "decoder_size": 48, "decoder_heads": 2}'
    status = main(["--config", config, "--model.options", sizes, "--optimisation.learning_rate", "0.003"])
    found = verdicts(capsys.readouterr().out)
    assert status == 0
    assert set(found) == {
        "loss", "tokenizer", "label length", "fonts", "pixels", "CTC frames", "validation", "save and load", "overfit",
    }  # fmt: skip
    assert set(found.values()) <= {"ok", "warning"}
    assert found["overfit"] == "ok"


@pytest.mark.parametrize(("check", "options"), [
    ("label length", ["--model.max_length", "3"]),
    ("pixels", ["--model.canvas.width", "16", "--model.canvas.mode", "squash"]),
    ("CTC frames", ["--model.options", '{"patch_width": 32}']),
])  # fmt: skip
def test_a_configuration_that_wastes_time_fails_its_check(config, capsys, check, options):
    sizes = ["--overfit_steps", "0"]
    assert main(["--config", config, *options, *sizes]) == 1
    output = capsys.readouterr().out
    assert verdicts(output)[check] == "FAILED"
    assert "->" in output
    assert "training would be wasted" in output


def test_trained_on_validation_texts_fails(config, tmp_path, capsys):
    text = Path(config).read_text(encoding="utf-8").replace("bars: {", "bars: {split: train, ")
    leaky = tmp_path / "leaky.yaml"
    leaky.write_text(text, encoding="utf-8")
    assert main(["--config", str(leaky), "--overfit_steps", "0"]) == 1
    assert verdicts(capsys.readouterr().out)["validation"] == "FAILED"


def test_a_tokenizer_that_does_not_know_the_script_fails(config, tmp_path, capsys):
    from transformers import BertTokenizer

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"]))
    BertTokenizer(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "words")
    options = ["--model.tokenizer.kind", "hub", "--model.tokenizer.name", str(tmp_path / "words")]
    assert main(["--config", config, *options, "--overfit_steps", "0"]) == 1
    assert verdicts(capsys.readouterr().out)["tokenizer"] == "FAILED"


def test_labels_shifted_twice_are_found(monkeypatch):
    """What transformers 4.50 to 4.57 computed."""
    logits, labels, _ = doctor._tiny_loss()
    shifted = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    monkeypatch.setattr(doctor, "_tiny_loss", lambda: (logits, labels, shifted))
    finding = doctor.check_loss()
    assert finding.verdict == "FAILED"
    assert ">=5.23" in finding.remedy


def test_a_model_that_does_not_learn_fails(config, capsys):
    assert main(["--config", config, "--optimisation.learning_rate", "1e-9", "--overfit_steps", "5"]) == 1
    assert verdicts(capsys.readouterr().out)["overfit"] == "FAILED"
