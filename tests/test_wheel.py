"""The wheel, built from what is committed and installed elsewhere, does the whole job without the checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def run(command, cwd, **more):
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=600, env=environment | more
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from `git archive`: a file that is not committed is not in it."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("needs the repository")
    place = tmp_path_factory.mktemp("wheel")
    (place / "tree").mkdir()
    run(["git", "archive", "--output", place / "tree.tar", "HEAD"], ROOT)
    run(["tar", "-x", "-f", place / "tree.tar", "-C", place / "tree"], place)
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", place, place / "tree"], place)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """An environment that holds the wheel, and sees what it depends on but not the checkout."""
    place = tmp_path_factory.mktemp("elsewhere")
    run([sys.executable, "-m", "venv", place / "env"], place)
    python = place / "env/bin/python"
    run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], place)
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], place).strip())
    # The dependencies are there already; a second download of them would prove nothing. Only the entries of the
    # environment's own folder are taken over: the hook that points at the checkout is not.
    ours = Path(sysconfig.get_path("purelib"))
    for entry in ours.iterdir():
        if not (site / entry.name).exists() and "glyphline" not in entry.name and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
    where = run([python, "-c", "import glyphline; print(glyphline.__file__)"], place).strip()
    assert Path(where).is_relative_to(site), "the checkout is still visible"
    return place


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A copy of a few texts, fonts and handwriting lines: the checkout itself is not used."""
    place = tmp_path_factory.mktemp("data")
    for part in ("text", "fonts", "handwriting"):
        shutil.copytree(ROOT / "demo" / part, place / part)
    lines = (ROOT / "demo/text/ko.chatbot.txt").read_text(encoding="utf-8").splitlines()
    (place / "text.txt").write_text("\n".join(lines[:400]) + "\n", encoding="utf-8")
    return place


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"glyphline"}
    for needed in (
        "delivery/templates/model_card.md",
        "languages/ko.py",
        "__main__.py",
        "render/presets/document.yaml",
    ):
        assert f"glyphline/{needed}" in names, needed
    assert not [name for name in names if "test" in name.rsplit("/", 1)[1].split("_")]
    inside = ROOT / "src/glyphline"
    listed = run(["git", "ls-files", "src/glyphline"], ROOT).split()
    committed = {str(Path(name).relative_to("src")) for name in listed if not name.endswith("README.md")}
    committed.discard("glyphline/shipped")  # a link to the models, which the wheel holds themselves
    models = run(["git", "ls-files", "models"], ROOT).split()
    committed |= {str("glyphline/shipped" / Path(name).relative_to("models")) for name in models}
    assert committed <= set(names), sorted(committed - set(names))
    assert inside.exists()


TRAIN = """
model:
  canvas: {{height: 32, width: 256, width_step: 64}}
  max_length: 40
  options:
    {{encoder_size: 48, encoder_layers: 1, encoder_heads: 2, decoder_size: 48, decoder_layers: 1, decoder_heads: 2}}
data:
  train: [{{lines: {lines}}}]
  validation: {{rendered: {{lines: {lines}, limit: 10}}}}
optimisation: {{steps: 6, batch_size: 4, learning_rate: 1.0e-3}}
control: {{evaluate_every: 3, log_every: 3}}
device: cpu
"""


def test_the_main_job_outside_the_checkout(elsewhere, data):
    command, work = [elsewhere / "env/bin/glyphline"], elsewhere / "work"
    work.mkdir()
    offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

    def glyphline(*arguments):
        return run([*command, *arguments], work, **offline)

    assert glyphline("--version").startswith("glyphline ")
    glyphline("collect", data / "text.txt", "--language", "ko", "--max_graphemes", "16", "--output", "corpus")
    glyphline(
        *("render", "--corpus", "corpus", "--output", "lines", "--language", "ko", "--count", "60"),
        *("--preset", "document", "--fonts", data / "fonts", "--seed", "1", "--split", "all"),
    )
    (work / "train.yaml").write_text(TRAIN.format(lines="lines"), encoding="utf-8")
    glyphline("train", "--config", "train.yaml", "--output", "run")
    glyphline(
        *("prepare", "--reader", "gt_tsv", "--root", data / "handwriting", "--language", "fr"),
        *("--output", "handwriting"),
    )
    glyphline(
        "score", "--model", "run", "--lines", "handwriting", "--split", "test", "--output", "scores", "--limit", "8"
    )
    assert "cer" in json.loads((work / "scores/metrics.json").read_text())["modes"]["ctc"]["overall"]
    pictures = sorted(path for path in (data / "handwriting").rglob("*") if path.suffix in (".png", ".jpg"))[:3]
    rows = glyphline("read", "--model", "run", "--format", "jsonl", *pictures).splitlines()
    assert [json.loads(row)["path"] for row in rows] == [str(picture) for picture in pictures]
    glyphline("publish", "--model", "run", "--output", "published", "--license", "cc-by-sa-4.0")
    assert (work / "published/README.md").exists()
