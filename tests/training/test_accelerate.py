"""The launch files under configs/accelerate: accelerate itself reads them and makes its commands of them."""

from pathlib import Path

import pytest
import transformers

FOLDER = Path(__file__).parents[2] / "configs" / "accelerate"


def launch_arguments(path: Path):
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    command = ["--config_file", str(path), "-m", "glyphline", "train", "--config", "any.yaml"]
    return _validate_launch_command(launch_command_parser().parse_args(command))[0]


@pytest.mark.parametrize(("name", "processes", "machines"), [("gpus8", 8, 1), ("two_nodes", 16, 2), ("fsdp", 8, 1)])
def test_dry_run(name, processes, machines):
    arguments = launch_arguments(FOLDER / f"{name}.yaml")
    assert (arguments.num_processes, arguments.num_machines) == (processes, machines)
    assert arguments.mixed_precision == "no", "the run's own setting decides"
    assert arguments.module
    assert arguments.training_script == "glyphline"
    assert not arguments.use_cpu


def test_every_file_is_tried():
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == ["fsdp", "gpus8", "two_nodes"]


def test_sharding_names_layers_that_exist_and_saves_whole_weights():
    from accelerate.utils.launch import prepare_multi_gpu_env

    environment = prepare_multi_gpu_env(launch_arguments(FOLDER / "fsdp.yaml"))
    assert environment["FSDP_STATE_DICT_TYPE"] == "FULL_STATE_DICT"
    modules = (transformers.models.deit, transformers.models.vit, transformers.models.roberta, transformers.models.bert)
    known = {name for module in modules for part in ("modeling_" + module.__name__.rsplit(".", 1)[1],)
             for name in dir(getattr(module, part))}  # fmt: skip
    assert set(environment["FSDP_TRANSFORMER_CLS_TO_WRAP"].split(",")) <= known
