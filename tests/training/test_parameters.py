"""Frozen parts, rates by part and layer, adapters, and the average of the weights: each against its definition."""

import csv
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from glyphline.models import load_recogniser
from glyphline.training.averaging import Average
from glyphline.training.parameters import parameter_groups, prepare, rate_factors
from glyphline.training.run import main
from glyphline.training.settings import LoraSettings, OptimisationSettings


@pytest.fixture(scope="module")
def started(config, tmp_path_factory):
    """A run of a single step: its model is what the others start from."""
    output = tmp_path_factory.mktemp("started") / "run"
    options = ["--optimisation.steps", "1", "--optimisation.learning_rate", "0"]
    assert main(["--config", config, "--output", str(output), *options]) == 0
    return output


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(load_recogniser(str(run / "model"), "cpu").named_parameters())


def second_stage(config: str, started: Path, folder: Path) -> str:
    """A configuration that goes on from another run's model."""
    text = Path(config).read_text(encoding="utf-8")
    path = folder / "second.yaml"
    path.write_text(f"model: {{start: {started}}}\n{text[text.index('data:') :]}", encoding="utf-8")
    return str(path)


def test_factors_by_hand():
    names = [
        "encoder.embeddings.cls_token", "encoder.layers.0.w", "encoder.layers.2.w", "encoder.layernorm.w",
        "decoder.roberta.embeddings.w", "decoder.roberta.encoder.layer.0.w", "decoder.roberta.encoder.layer.1.w",
        "decoder.lm_head.w", "ctc_head.w",
    ]  # fmt: skip
    factors = rate_factors(names, {"encoder": 0.1, "encoder.layers.2": 0.5}, 0.5)
    expected = [0.1 * 0.125, 0.1 * 0.25, 0.5, 0.1, 0.25, 0.5, 1, 1, 1]
    assert [factors[name] for name in names] == pytest.approx(expected)
    assert set(rate_factors(names, {}, 1.0).values()) == {1.0}


def test_every_moving_weight_is_in_one_group():
    model = nn.ModuleDict({"encoder": nn.Linear(3, 3), "ctc_head": nn.Linear(3, 2)})
    settings = OptimisationSettings(learning_rate=0.2, rates={"encoder": 0.5}, freeze=["encoder.bias"])
    prepare(model, settings)
    groups = parameter_groups(model, settings, {"encoder.weight", "ctc_head.weight"})
    found = [(group["lr"], group["weight_decay"], len(group["params"])) for group in groups]
    assert found == [(0.2, 0.01, 1), (0.2, 0.0, 1), (0.1, 0.01, 1)]


def test_frozen_parts_stay_and_others_move(config, started, tmp_path):
    second = second_stage(config, started, tmp_path)
    options = ["--optimisation.freeze", '["encoder"]', "--optimisation.steps", "3"]
    assert main(["--config", second, "--output", str(tmp_path / "run"), *options]) == 0
    before, after = weights(started), weights(tmp_path / "run")
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder", "ctc_head"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--optimisation.freeze", '["encodr"]'], "no weights begin with 'encodr'; there are ctc_head.bias"),
        (["--optimisation.rates", '{"decoder.lm": 2}'], "no weights begin with 'decoder.lm'"),
        (["--optimisation.freeze", '["encoder", "decoder", "ctc_head"]'], "nothing is left to train"),
        (["--optimisation.ema", "1.0"], "a decay from 0 to below 1"),
        (["--optimisation.layer_decay", "0"], "layer_decay 0"),
    ],
)
def test_names_and_factors_that_cannot_be_are_errors(config, tmp_path, capsys, options, message):
    assert main(["--config", config, "--output", str(tmp_path / "run"), *options]) == 2
    assert message in capsys.readouterr().err


def test_average_by_definition():
    torch.manual_seed(1)
    model, average = nn.Linear(2, 2), Average(0.6)
    state = type("State", (), {"global_step": 0})
    average.on_train_begin(None, state, None, model=model)
    expected = model.weight.detach().clone()
    for step in range(1, 30):
        state.global_step = step
        with torch.no_grad():
            model.weight.add_(torch.randn(2, 2))
        average.on_step_end(None, state, None, model=model)
        decay = min(0.6, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    now = model.weight.detach().clone()
    with average.applied(model):
        assert torch.allclose(model.weight, expected, atol=1e-6)
    assert torch.equal(model.weight, now)
    assert not torch.allclose(now, expected, atol=1e-3)


def test_the_average_is_what_is_kept(config, tmp_path):
    """Only the last checkpoint's average can be the model: the weights themselves are elsewhere."""
    options = ["--optimisation.ema", "0.9", "--control.evaluate_every", "8"]
    assert main(["--config", config, "--output", str(tmp_path / "run"), *options]) == 0
    checkpoint = tmp_path / "run" / "checkpoints" / "checkpoint-8"
    kept, average = weights(tmp_path / "run"), load_file(checkpoint / "average.safetensors")
    raw = dict(load_recogniser(str(checkpoint), "cpu").named_parameters())
    name = "encoder.layers.0.mlp.fc1.weight"
    assert torch.equal(kept[name], average[name])
    assert not torch.equal(kept[name], raw[name])


def test_adapters_move_alone_and_are_merged(config, started, tmp_path):
    pytest.importorskip("peft")
    second = second_stage(config, started, tmp_path)
    options = ["--optimisation.lora.rank", "2", "--optimisation.steps", "4", "--optimisation.learning_rate", "0.01"]
    assert main(["--config", second, "--output", str(tmp_path / "run"), *options]) == 0
    before, after = weights(started), weights(tmp_path / "run")
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.rsplit(".", 2)[-2] for name in changed} == {"q_proj", "v_proj", "query", "value", "ctc_head"}
    difference = after["encoder.layers.0.attention.q_proj.weight"] - before["encoder.layers.0.attention.q_proj.weight"]
    assert int(torch.linalg.matrix_rank(difference, rtol=1e-3)) <= 2
    metrics = json.loads((tmp_path / "run" / "result.json").read_text())["metrics"]
    assert metrics.keys() >= {"eval_bars_cer"}
    assert load_recogniser(str(tmp_path / "run" / "model"), "cpu").card.family == "trocr"


def test_adapters_resume_exactly(config, started, tmp_path):
    """A run that stopped half-way and went on ends as one that did not."""
    pytest.importorskip("peft")
    second = second_stage(config, started, tmp_path)
    common = ["--config", second, "--optimisation.lora.rank", "2", "--optimisation.ema", "0.9", "--resume", "true"]
    assert main([*common, "--output", str(tmp_path / "whole")]) == 0
    assert main([*common, "--output", str(tmp_path / "cut")]) == 0
    (tmp_path / "cut" / "result.json").unlink()
    import shutil

    shutil.rmtree(tmp_path / "cut" / "checkpoints" / "checkpoint-8")
    assert main([*common, "--output", str(tmp_path / "cut")]) == 0
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_adapters_without_a_place_are_an_error(capsys):
    pytest.importorskip("peft")
    from glyphline.settings import InputError

    model = nn.ModuleDict({"body": nn.ModuleDict({"dense": nn.Linear(2, 2)})})
    with pytest.raises(InputError, match="there are dense"):
        prepare(model, OptimisationSettings(lora=LoraSettings(rank=2, targets=["query"])))


def test_rates_reach_the_optimiser(config, tmp_path):
    """With a factor of 0 a part does not move, though nothing is frozen."""
    options = [
        "--optimisation.rates",
        '{"encoder": 0}',
        "--optimisation.steps",
        "2",
        "--optimisation.weight_decay",
        "0",
    ]
    none = ["--optimisation.learning_rate", "0", "--optimisation.steps", "2"]
    assert main(["--config", config, "--output", str(tmp_path / "run"), *options]) == 0
    assert main(["--config", config, "--output", str(tmp_path / "none"), *none]) == 0
    still, moved = weights(tmp_path / "none"), weights(tmp_path / "run")
    changed = {name.split(".")[0] for name in still if not torch.equal(still[name], moved[name])}
    assert changed == {"decoder", "ctc_head"}
    rows = list(csv.DictReader((tmp_path / "run" / "curves.csv").open()))
    assert rows
