"""Settings: YAML, options and what wrong ones get."""

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphline import settings as module
from glyphline.arguments import describe
from glyphline.settings import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    InputError,
    JobError,
    build,
    command,
    execution,
    identity,
    read_yaml,
)


@dataclass(frozen=True)
class Canvas:
    """Inner settings."""

    height_px: int = 32
    """Height."""
    mode: Literal["line", "squash"] = "line"
    """Mode."""


@dataclass(frozen=True)
class Job:
    """Settings of a made-up command."""

    output: str = execution("out")
    """Folder."""
    count: int = 5
    """How many."""
    rate: float = 0.5
    """How fast."""
    verbose: bool = False
    """Talk."""
    limit: int | None = None
    """At most."""
    canvas: Canvas = field(default_factory=Canvas)
    """Canvas."""
    fonts: list[str] = field(default_factory=list)
    """Fonts."""
    replace: dict[str, str] = field(default_factory=dict)
    """Replacements."""
    paths: list[str] = field(default_factory=list)
    """Bare words."""

    def __post_init__(self):
        if self.count < 0:
            raise InputError("count must be 0 or more")


@dataclass(frozen=True)
class Needy:
    """Settings with something required."""

    corpus: str
    """Corpus."""
    output: str
    """Output."""
    fonts: list[str] = field(default_factory=list)
    """Fonts."""


def run(arguments, settings=Job, positional="paths", aliases=None):
    """Return exit status and the settings that the command got (None where it was not run)."""
    got = []

    @command(settings, name="try", example="glyphline try x", positional=positional, aliases=aliases)
    def main(settings):
        """Keep the settings."""
        got.append(settings)

    return main([str(argument) for argument in arguments]), got[0] if got else None


def accepted(arguments, **more):
    status, got = run(arguments, **more)
    assert status == EXIT_DONE
    return got


def refused(capsys, arguments, **more):
    """Return the one line on standard error of a command that refuses its arguments."""
    status, got = run(arguments, **more)
    out, err = capsys.readouterr()
    assert (status, got, out) == (EXIT_USAGE, None, "")
    assert err.startswith("glyphline try: error: ") and err.count("\n") == 1 and err.endswith("\n")
    assert "Traceback" not in err and "<class" not in err and "typing." not in err
    return err.removeprefix("glyphline try: error: ").rstrip()


@pytest.fixture
def yaml(tmp_path):
    def write(text, name="c.yaml", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(textwrap.dedent(text).encode(encoding))
        return path

    return write


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--count", "7"], {"count": 7}),
        (["--count=7"], {"count": 7}),
        (["--rate", "-1e-3"], {"rate": -0.001}),
        (["--verbose"], {"verbose": True}),
        (["--verbose", "false"], {"verbose": False}),
        (["--verbose", "x.png"], {"verbose": True, "paths": ["x.png"]}),
        (["--limit", "null"], {"limit": None}),
        (["--canvas.height-px", "64"], {"canvas": Canvas(height_px=64)}),
        (["--canvas", "{mode: squash}"], {"canvas": Canvas(mode="squash")}),
        (["--fonts", "a.ttf"], {"fonts": ["a.ttf"]}),
        (["--fonts", "a, b.ttf"], {"fonts": ["a, b.ttf"]}),
        (["--fonts", "[a.ttf, b.ttf]"], {"fonts": ["a.ttf", "b.ttf"]}),
        (["--fonts+", "a.ttf", "--fonts+", "b.ttf"], {"fonts": ["a.ttf", "b.ttf"]}),
        (["--replace.¬", "-"], {"replace": {"¬": "-"}}),
        (["a.png", "--count", "7", "b.png"], {"count": 7, "paths": ["a.png", "b.png"]}),
        (["--count", "7", "--", "--a.png"], {"count": 7, "paths": ["--a.png"]}),
        (["-"], {"paths": ["-"]}),
        (["https://example.org/a.png?x=1"], {"paths": ["https://example.org/a.png?x=1"]}),
    ],
)
def test_an_option_does_what_it_says(arguments, expected):
    assert accepted(arguments) == Job(**expected)


def test_a_list_takes_words_where_no_bare_ones_are_expected():
    got = accepted(["--corpus", "c", "--fonts", "a.ttf", "b.ttf", "--output", "o"], settings=Needy, positional="")
    assert got == Needy("c", "o", ["a.ttf", "b.ttf"])


def test_other_spellings():
    aliases = {"--n": "--count", "--image": ""}
    assert accepted(["--n=7", "--image", "a.png", "b.png"], aliases=aliases) == Job(count=7, paths=["a.png", "b.png"])
    assert accepted(["--image=a.png"], aliases=aliases) == Job(paths=["a.png"])


def test_later_options_override_the_file(yaml):
    path = yaml("count: 7\nrate: 4e-5\ncanvas:\n  mode: squash\nfonts: [가.ttf]\n")
    got = accepted(["--config", path, "--canvas.height_px", "64"])
    assert got == Job(count=7, rate=4e-5, canvas=Canvas(64, "squash"), fonts=["가.ttf"])
    assert accepted([f"--config={path}", "--count=8"]).count == 8


def test_a_later_file_overrides_an_earlier_one(yaml):
    first, second = yaml("count: 7\nrate: 2.0", "a.yaml"), yaml("count: 8", "b.yaml")
    got = accepted(["--config", first, "--config", second])
    assert (got.count, got.rate) == (8, 2.0)


def test_the_file_may_begin_with_a_byte_order_mark_or_be_empty(yaml):
    assert accepted(["--config", yaml("count: 7", encoding="utf-8-sig")]).count == 7
    assert accepted(["--config", yaml("# nothing\n")]) == Job()


def test_printed_settings_are_a_file_with_the_same_settings(yaml, capsys):
    arguments = ["--count", "7", "--canvas.mode", "squash", "--fonts", "가.ttf", "--limit", "3", "--verbose", "a.png"]
    with pytest.raises(SystemExit) as ended:
        run([*arguments, "--print_config"])
    assert ended.value.code == 0
    assert accepted(["--config", yaml(capsys.readouterr().out)]) == accepted(arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cuont", "7"], "unknown option --cuont; did you mean '--count'?"),
        (["--canvas.hieght_px", "7"], "unknown option --canvas.hieght_px; did you mean '--canvas.height_px'?"),
        (["--count", "five"], "count must be a whole number, not 'five'"),
        (["--count", "1.5"], "count must be a whole number, not '1.5'"),
        (["--limit", "many"], "limit must be a whole number or null, not 'many'"),
        (["--canvas.mode", "sqash"], "canvas.mode must be one of line, squash, not 'sqash'; did you mean 'squash'?"),
        (["--count", "-3"], "count must be 0 or more"),
        (["--count"], "--count needs a value"),
        (["--count", "--rate", "1"], "--count needs a value"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read (No such file or directory)"),
    ],
)
def test_a_bad_option_gets_one_line(capsys, arguments, message):
    assert refused(capsys, arguments) == message


def test_what_is_required_is_named(capsys):
    assert refused(capsys, [], settings=Needy, positional="") == "--corpus, --output are required"
    assert refused(capsys, ["--corpus=c"], settings=Needy, positional="") == "--output is required"
    said = refused(capsys, ["--corpus=c", "--output=o", "stray.png"], settings=Needy, positional="")
    assert said == "unexpected argument 'stray.png'"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("cuont: 7", "{}: unknown key 'cuont'; did you mean 'count'?"),
        ("canvas:\n  hight_px: 7", "{}: unknown key 'canvas.hight_px'; did you mean 'height_px'?"),
        ("count: five", "{}: count must be a whole number, not 'five'"),
        ("canvas:\n  mode: sqash", "{}: canvas.mode must be one of line, squash, not 'sqash'; did you mean 'squash'?"),
        ("canvas: wide", "{}: canvas must be a mapping of keys to values"),
        ("count: -3", "{}: count must be 0 or more"),
        ("count: 1\ncount: 2", "{}, line 2: key 'count' stands here a second time"),
        ("canvas:\n  mode: line\n  mode: line", "{}, line 3: key 'mode' stands here a second time"),
        ("- count", "{}: a settings file must be a mapping of keys to values"),
        ("count: [1", "{}, line 1: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("count: 1\n\tx: 2", "{}, line 2: not YAML: found character '\\t' that cannot start any token"),
    ],
)
def test_a_bad_file_gets_one_line_that_names_it(capsys, yaml, content, message):
    path = yaml(content)
    assert refused(capsys, ["--config", path]) == message.format(path)


def test_a_file_in_another_encoding_is_named(capsys, yaml):
    path = yaml("# 손글씨\ncount: 1\n", encoding="cp949")
    assert refused(capsys, ["--config", path]) == f"{path}: not UTF-8 (byte 2); save it as UTF-8"


def test_blame_falls_on_the_file_or_on_the_option(capsys, yaml):
    path = yaml("count: five")
    assert refused(capsys, ["--config", path, "--count", "3"]).startswith(f"{path}: count must be")
    good = yaml("count: 5", "good.yaml")
    assert refused(capsys, ["--config", good, "--count", "six"]) == "count must be a whole number, not 'six'"
    assert refused(capsys, ["--config", good, "--config", path]).startswith(f"{path}: count")
    assert refused(capsys, ["--config", good, "--count", "-1"]) == "count must be 0 or more"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("x.csv: no column 'text'\n  use another"), EXIT_USAGE, "x.csv: no column 'text' use another"),
        (JobError("the hub does not answer"), EXIT_FAILED, "the hub does not answer"),
        (
            OSError(28, "No space left on device", "out/a.parquet"),
            EXIT_FAILED,
            "out/a.parquet: No space left on device",
        ),
        (KeyboardInterrupt(), EXIT_INTERRUPTED, "interrupted; the same command goes on from here"),
    ],
)
def test_what_a_command_raises_becomes_a_line_and_a_status(capsys, error, status, line):
    @command(Job, name="try", example="glyphline try")
    def main(settings):
        """Fail."""
        raise error

    assert main([]) == status
    assert capsys.readouterr().err == f"glyphline try: error: {line}\n"


def test_a_fault_of_ours_is_not_hidden():
    @command(Job, name="try", example="glyphline try")
    def main(settings):
        """Fail."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        main([])


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path):
    script = tmp_path / "talk.py"
    script.write_text(
        "import sys\nfrom dataclasses import dataclass\nfrom glyphline.settings import command\n"
        "@dataclass\nclass None_:\n    '''N.'''\n\n"
        "@command(None_, name='talk', example='x')\ndef main(settings):\n    '''Talk.'''\n"
        "    for number in range(100000):\n        print(number)\n\n"
        "sys.exit(main([]))\n"
    )
    shell = f"set -o pipefail; {sys.executable} {script} | head -1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 141)


def test_identity_leaves_out_how_a_job_runs():
    assert identity(Job(output="elsewhere", fonts=["a"])) == {
        "count": 5,
        "rate": 0.5,
        "verbose": False,
        "limit": None,
        "canvas": {"height_px": 32, "mode": "line"},
        "fonts": ["a"],
        "replace": {},
        "paths": [],
    }
    assert identity(Job(output="a")) == identity(Job(output="b"))
    assert identity(Job(count=1)) != identity(Job(count=2))


@given(
    st.builds(
        Job,
        count=st.integers(0, 10**9),
        rate=st.floats(allow_nan=False, allow_infinity=False),
        verbose=st.booleans(),
        limit=st.none() | st.integers(),
        canvas=st.builds(Canvas, st.integers(), st.sampled_from(["line", "squash"])),
        fonts=st.lists(st.text(max_size=5), max_size=3),
        replace=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    )
)
def test_build_is_the_inverse_of_identity(job):
    plain = identity(job)
    assert json.loads(json.dumps(plain)) == plain
    assert build(Job, plain, "job") == job


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"cuont": 1}, "effects[0]: unknown key 'cuont'; did you mean 'count'?"),
        ({"count": "x"}, "effects[0]: count must be a whole number, not 'x'"),
        ({"count": -1}, "effects[0]: count must be 0 or more"),
        (["count"], "effects[0]: the file must be a mapping of keys to values"),
    ],
)
def test_build_names_the_place(mapping, message):
    with pytest.raises(InputError) as caught:
        build(Job, mapping, "effects[0]")
    assert " ".join(str(caught.value).split()) == message


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "a whole number"),
        (float | None, "a number or null"),
        (Literal["a", "b"] | None, "one of a, b or null"),
        (list[int], "a list of a whole number"),
        (dict[str, Any], "a mapping"),
    ],
)
def test_types_in_words(hint, words):
    assert describe(hint) == words


def test_help_holds_the_example_the_defaults_and_the_docstrings(capsys):
    with pytest.raises(SystemExit) as ended:
        run(["--help"], aliases={"--n": "--count"})
    said = capsys.readouterr().out
    assert ended.value.code == 0
    for part in ("glyphline try x", "Keep the settings.", "How many.", "default: 5", "--n = --count", "--config"):
        assert part in said


def test_reading_a_folder_as_yaml(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_yaml(tmp_path)


def test_a_senseless_log_level_is_ignored(monkeypatch):
    monkeypatch.setenv("GLYPHLINE_LOG", "loud")
    assert module._log_level() == "INFO"
    monkeypatch.setenv("GLYPHLINE_LOG", "debug")
    assert module._log_level() == "DEBUG"
