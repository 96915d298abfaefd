"""The command line as a user meets it: help, options, settings files, and what mistakes get."""

import importlib
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import freeze_options
from glyphline.__main__ import COMMANDS, main
from glyphline.arguments import complete
from glyphline.settings import parse

ROOT = Path(__file__).parents[1]
DOORS = {
    "data_prep/collect_corpus.py": "collect",
    "data_prep/prepare_handwriting.py": "prepare",
    "train/stage1_pretrain.py": "train",
    "train/stage2_finetune.py": "train",
    "train/score_model.py": "score",
    "train/publish_model.py": "publish",
    "inference.py": "read",
}
HEAVY = ("torch", "transformers", "datasets", "accelerate", "kiwipiepy", "matplotlib", "tensorboard", "pandas", "cv2")
FOLDERS = {"corpus": "collect", "handwriting": "prepare", "render": "render", "train": "train"}
"""Which command's settings the files of a folder of configs/ are."""
SHIPPED = sorted(path for path in ROOT.glob("configs/*/*.yaml") if path.parent.name in FOLDERS)

every_command = pytest.mark.parametrize("command", COMMANDS)


def entry(command):
    return importlib.import_module(COMMANDS[command][0]).main


def one_line(capsys, command):
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"glyphline {command}: error: ") and err.count("\n") == 1
    assert "Traceback" not in err and "<class" not in err
    return err


@pytest.mark.parametrize("command", freeze_options.FROZEN.read_text(encoding="utf-8").split("\n\n"))
def test_commands_and_options_are_frozen(command):
    name = command.split("\n", 1)[0]
    assert name in COMMANDS, f"{name} is gone: if on purpose, run python tests/freeze_options.py"
    assert freeze_options.block(name).strip() == command.strip(), "if on purpose, run python tests/freeze_options.py"


def test_no_command_is_missing_from_the_frozen_list():
    frozen = [block.split("\n", 1)[0] for block in freeze_options.FROZEN.read_text(encoding="utf-8").split("\n\n")]
    assert frozen == list(COMMANDS)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("collect", "--config --output"),
        (
            "render",
            "--corpus --output --language --count --seed --workers --preset --engine --layout --shards --executor"
            " --replay",
        ),
        ("prepare", "--reader --root --output"),
        ("train", "--config --output --resume --continue_from"),
        ("score", "--model --lines --split --output"),
        ("read", "--model --device --format"),
        ("publish", "--model --output --repo"),
        ("doctor", "--config"),
        ("fonts", "--language --folder"),
    ],
)
def test_the_options_that_the_design_fixes(command, options):
    assert set(options.split()) <= set(freeze_options.option_names(entry(command).parser()))


@every_command
def test_help_is_quick_and_holds_an_example(command):
    arguments = [sys.executable, "-X", "importtime", "-m", "glyphline", command, "--help"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert f"usage: glyphline {command} " in done.stdout
    assert "Example:\n" in done.stdout and "--config" in done.stdout
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert not loaded & set(HEAVY)


@every_command
def test_every_option_is_explained(command):
    for action in entry(command).parser()._actions:
        if "." not in action.dest:
            assert action.help and len(action.help) > 5, f"{command}: {action.dest} has no help"


@every_command
def test_the_example_in_the_help_is_made_of_real_options(command):
    parser = entry(command).parser()
    example = parser.description.split("Example:")[1].split("Other spellings:")[0]
    lines = [shlex.split(line, comments=True) for line in example.replace("\\\n", " ").strip().splitlines()]
    ours = [words[2:] for words in lines if words[:2] == ["glyphline", command]]
    assert ours
    for words in ours:
        complete(parser, words, entry(command).aliases)


@every_command
def test_an_unknown_option_gets_the_nearest(capsys, command):
    assert main([command, "--cofnig", "x.yaml"]) == 2
    assert "unknown option --cofnig; did you mean '--config'?" in one_line(capsys, command)


@every_command
def test_a_missing_settings_file_is_named(capsys, command):
    assert main([command, "--config", "nowhere.yaml"]) == 2
    assert "nowhere.yaml: cannot be read" in one_line(capsys, command)


@every_command
def test_an_unknown_key_is_named_with_its_file(capsys, tmp_path, command):
    path = tmp_path / "mine.yaml"
    path.write_text("no_such_key_anywhere: 1\n")
    assert main([command, "--config", str(path)]) == 2
    assert f"{path}: unknown key 'no_such_key_anywhere'" in one_line(capsys, command)


@every_command
def test_a_file_that_is_not_yaml_is_named(capsys, tmp_path, command):
    path = tmp_path / "mine.yaml"
    path.write_text("a: [1\nb: 2\n")
    assert main([command, "--config", str(path)]) == 2
    assert f"{path}, line 2: not YAML" in one_line(capsys, command)


@every_command
def test_nothing_given_is_a_mistake_or_a_job_never_a_traceback(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    if command in ("fonts", "doctor"):
        return  # these have something to tell even so
    assert main([command]) == 2
    err = capsys.readouterr().err
    assert f"glyphline {command}: error: " in err and "Traceback" not in err


def test_the_overview(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {command} " in said for command in COMMANDS)
    assert main([]) == 2
    assert main(["--version"]) == 0
    capsys.readouterr()
    assert main(["rnder"]) == 2
    assert capsys.readouterr().err == "glyphline: error: no command 'rnder'; did you mean 'render'?\n"


@pytest.mark.parametrize("door", DOORS)
def test_a_front_door_is_the_command(door):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=60, cwd=ROOT.parent, check=False
        )

    through = run(str(ROOT / door), "--help")
    direct = run("-m", "glyphline", DOORS[door], "--help")
    assert (through.returncode, through.stdout) == (0, direct.stdout)
    wrong = run(str(ROOT / door), "--no-such-option")
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1


@pytest.mark.parametrize("path", SHIPPED, ids=[str(path.relative_to(ROOT)) for path in SHIPPED])
def test_every_shipped_settings_file_resolves(path):
    entry_point = entry(FOLDERS[path.parent.name])
    settings = parse(entry_point.parser(), entry_point.settings, [f"--config={path}", "--output=x"], {})
    assert isinstance(settings, entry_point.settings)


def test_settings_files_are_shipped_for_every_stage():
    assert {path.parent.name for path in SHIPPED} == set(FOLDERS)
    assert {path.name for path in (ROOT / "configs").iterdir()} == {*FOLDERS, "accelerate"}  # that one is accelerate's
