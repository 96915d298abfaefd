"""publish: a folder that is whole, opens anywhere, and says what it is; and its upload."""

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys

import hub_server
import pytest
import yaml
from PIL import Image
from tiny_model import TEXTS, line_picture

from glyphline.delivery.publish import main, verify

SCORE = {
    "split": "test",
    "modes": {
        "auto": {
            "overall": {
                "lines": 250,
                "cer": {"value": 0.0519, "low": 0.04, "high": 0.0612},
                "wer": {"value": 0.2, "low": None, "high": None},
                "exact": {"value": 0.5, "low": 0.4, "high": 0.6},
            }
        }
    },
}


@pytest.fixture
def published(model_folder, tmp_path):
    scores = tmp_path / "handwriting"
    scores.mkdir()
    (scores / "metrics.json").write_text(json.dumps(SCORE))
    arguments = ["--model", model_folder, "--output", tmp_path / "hub", "--license", "cc-by-4.0"]
    arguments += ["--name", "owner/tiny", "--scores", scores / "metrics.json", "--credits", "Somebody, CC BY 4.0"]
    assert main([str(argument) for argument in arguments]) == 0
    return tmp_path / "hub"


def front_matter(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def test_the_folder_holds_the_model_its_card_and_digests(published, model_folder):
    names = {path.name for path in published.iterdir()}
    assert names == {path.name for path in model_folder.iterdir()} | {"README.md", "SHA256SUMS"}
    for line in (published / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((published / name).read_bytes()).hexdigest()
        names.remove(name)
    assert names == {"SHA256SUMS"}
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=published, check=True)


def test_the_card_says_what_the_hub_reads(published):
    content = front_matter(published)
    assert content["license"] == "cc-by-4.0" and content["language"] == ["en", "ko"]
    assert content["pipeline_tag"] == "image-to-text" and {"ocr", "trocr"} <= set(content["tags"])
    (result,) = content["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "cer", "value": 0.0519}, {"type": "wer", "value": 0.2}]


def test_the_hub_librarys_own_reader_accepts_the_card(published):
    from huggingface_hub import ModelCard

    card = ModelCard.load(published / "README.md")
    assert card.data.license == "cc-by-4.0"
    assert card.data.eval_results[0].metric_value == 0.0519


def test_the_card_says_what_people_read(published):
    text = (published / "README.md").read_text(encoding="utf-8")
    for part in (
        "# tiny\n",
        "| handwriting | test | auto | 250 | 5.19 % [4.00, 6.12] | 20.00 % | 50.00 % [40.00, 60.00] |",
        "| stage1 | lines | 12.50 % | 50.00 % |",
        "| stage1 | lines | 1,200 | `abababababababab…` |",
        "- Somebody, CC BY 4.0",
        "| canvas | line, 32 × 256 px |",
        "50 steps, learning rate 0.0004, seed 1",
        "3 training lines were over its length limit",
    ):
        assert part in text, part
    assert "\n\n\n" not in text and "{{" not in text and "None" not in text


def test_parameters_are_counted(published):
    from safetensors.torch import load_file
    from transformers import VisionEncoderDecoderModel

    model = VisionEncoderDecoderModel.from_pretrained(published)
    head = load_file(published / "ctc.safetensors")
    total = sum(p.numel() for p in model.parameters()) + sum(tensor.numel() for tensor in head.values())
    text = (published / "README.md").read_text(encoding="utf-8")
    said = float(re.search(r"\| parameters \| ([\d.]+) M", text)[1])
    assert abs(said - total / 1e6) < 0.06  # tied weights are stored once


@pytest.mark.parametrize("mode", ["line", "squash"])
def test_plain_transformers_gives_the_same_text(model_folder, squash_folder, capsys, tmp_path, mode):
    from transformers import AutoTokenizer, TrOCRProcessor, VisionEncoderDecoderModel

    from glyphline.delivery.read import main as read

    folder = model_folder if mode == "line" else squash_folder
    processor = TrOCRProcessor.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = VisionEncoderDecoderModel.from_pretrained(folder)
    for number, text in enumerate(TEXTS):
        picture = Image.fromarray(line_picture(number))
        picture.save(tmp_path / "line.png")
        pixels = processor(picture.convert("RGB"), return_tensors="pt").pixel_values
        plain = tokenizer.batch_decode(model.generate(pixels), skip_special_tokens=True)[0]
        assert read(["--model", str(folder), "--mode", "decoder", str(tmp_path / "line.png")]) == 0
        assert capsys.readouterr().out == f"{plain}\n" == f"{text}\n"


def test_the_snippet_in_the_card_runs(published, tmp_path, monkeypatch):
    text = (published / "README.md").read_text(encoding="utf-8")
    snippet = re.search(r"```python\n(.*?)```", text, re.S)[1].replace("owner/tiny", str(published))
    Image.fromarray(line_picture(2)).save(tmp_path / "line.png")
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(snippet, "card", "exec"), {})
    assert said.getvalue() == f"{TEXTS[2]}\n"


def test_half_the_bytes_read_the_same_text_everywhere(model_folder, tmp_path, capsys):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, TrOCRProcessor, VisionEncoderDecoderModel

    from glyphline.models import load_recogniser

    folder = tmp_path / "hub"
    extra = ["--precision", "fp16", "--license", "mit", "--hardware", "one core, two hours"]
    assert main(["--model", str(model_folder), "--output", str(folder), *extra]) == 0
    for name in ("model.safetensors", "ctc.safetensors"):
        before, after = load_file(model_folder / name), load_file(folder / name)
        assert {tensor.dtype for tensor in after.values()} == {torch.float16}
        for key, tensor in before.items():
            assert torch.allclose(after[key].float(), tensor, rtol=1e-3, atol=1e-7), key
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "M, F16 |" in text and "| trained on | one core, two hours |" in text
    pictures = [line_picture(number) for number in range(len(TEXTS))]
    ours = load_recogniser(str(folder), "cpu")
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}
    for mode in ("ctc", "decoder"):
        assert [reading.text for reading in ours.read(pictures, mode)] == TEXTS
    plain = VisionEncoderDecoderModel.from_pretrained(folder)
    processor, tokenizer = TrOCRProcessor.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    pixels = processor(Image.fromarray(pictures[3]).convert("RGB"), return_tensors="pt").pixel_values
    assert tokenizer.batch_decode(plain.generate(pixels), skip_special_tokens=True) == [TEXTS[3]]


def test_the_card_of_a_model_without_a_trained_decoder_does_not_promise_one(model_folder, tmp_path):
    alone = shutil.copytree(model_folder, tmp_path / "model")
    card = json.loads((alone / "glyphline.json").read_text(encoding="utf-8"))
    card["options"]["ctc_weight"] = 1.0
    source = {"kind": "corpus", "preset": "clean", "lines": 7, "credits": ["Texts: ours"], "fonts": ["SUIT (OFL)"]}
    card["data"]["stage1"]["sources"] = [source, source | {"recipe": {"fit": "ink"}}]
    (alone / "glyphline.json").write_text(json.dumps(card), encoding="utf-8")
    assert main(["--model", str(alone), "--output", str(tmp_path / "hub"), "--license", "mit"]) == 0
    text = (tmp_path / "hub/README.md").read_text(encoding="utf-8")
    assert "VisionEncoderDecoderModel" not in text and "its decoder has not been trained" in text
    assert text.count("| stage1 | rendered, clean | 7 | none |") == 1
    assert "in English, Korean." in text and "- Texts: ours\n- Fonts of the rendered lines: SUIT (OFL)\n" in text


def test_weights_too_large_for_half_the_bytes_are_named(model_folder, tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    large = shutil.copytree(model_folder, tmp_path / "model")
    weights = load_file(large / "ctc.safetensors")
    weights["bias"][0] = 1e6
    save_file(weights, large / "ctc.safetensors")
    assert main(["--model", str(large), "--output", str(tmp_path / "hub"), "--precision", "fp16"]) == 2
    err = capsys.readouterr().err
    assert "ctc.safetensors: bias" in err and "--precision" in err
    assert not (tmp_path / "hub").exists()


def test_publishing_again_changes_nothing_and_another_model_is_refused(model_folder, squash_folder, tmp_path, capsys):
    def publish(model, *more):
        return main(["--model", str(model), "--output", str(tmp_path / "hub"), "--license", "mit", *more])

    assert publish(model_folder) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "hub").iterdir()}
    assert publish(model_folder) == 0
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "hub").iterdir()} == before
    capsys.readouterr()
    assert publish(squash_folder) == 2
    assert "holds another model or card" in capsys.readouterr().err
    assert publish(model_folder, "--summary", "Another card.") == 2
    (tmp_path / "hub/config.json").write_text("{}")
    assert verify(tmp_path / "hub") == ["config.json"]
    assert publish(model_folder) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]


def test_a_folder_of_somebody_else_is_left_alone(model_folder, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["--model", str(model_folder), "--output", str(tmp_path)]) == 2
    assert "not empty and not made by publish" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_pickles_and_code_are_left_out(model_folder, tmp_path):
    mixed = shutil.copytree(model_folder, tmp_path / "model")
    for name in ("optimizer.pt", "modeling.py", "pytorch_model.bin", "training_args.bin"):
        (mixed / name).write_bytes(b"x")
    assert main(["--model", str(mixed), "--output", str(tmp_path / "hub"), "--license", "mit"]) == 0
    assert not {path.suffix for path in (tmp_path / "hub").iterdir()} & {".pt", ".py", ".bin"}


@pytest.mark.parametrize("name", ["model.safetensors", "glyphline.json", "tokenizer_config.json", "ctc.safetensors"])
def test_a_model_that_is_not_whole_is_refused(model_folder, tmp_path, capsys, name):
    broken = shutil.copytree(model_folder, tmp_path / "model")
    (broken / name).unlink()
    assert main(["--model", str(broken), "--output", str(tmp_path / "hub")]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert name in err and "missing" in err
    assert not (tmp_path / "hub").exists()


def test_weights_that_plain_transformers_does_not_know_are_refused(model_folder, tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    broken = shutil.copytree(model_folder, tmp_path / "model")
    weights = load_file(broken / "model.safetensors")
    weights["head_of_ours.weight"] = weights["encoder.layernorm.weight"].clone()
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    assert main(["--model", str(broken), "--output", str(tmp_path / "hub")]) == 2
    assert "head_of_ours.weight" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--model is required"),
        (["--model", "m"], "--output DIR or --repo OWNER/NAME is required"),
        (["--model", "m", "--output", "o"], "m: no model here"),
        (["--model", "m", "--output", "o", "--scores", "none.json"], "m: no model here"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_scores_that_are_none_are_named(model_folder, tmp_path, capsys):
    wrong = tmp_path / "metrics.json"
    for content in ("{}", "[1]", "no json"):
        wrong.write_text(content)
        arguments = ["--model", str(model_folder), "--output", str(tmp_path / "hub"), "--scores", str(wrong)]
        assert main(arguments) == 2
        assert f"{wrong}: no metrics.json of glyphline score" in capsys.readouterr().err
    assert not (tmp_path / "hub").exists() and not list(tmp_path.glob("*.part"))


def test_reading_by_hub_name(model_folder, tmp_path):
    """A process that takes the loopback server for the hub reads by name a model that it has never seen."""
    Image.fromarray(line_picture(0)).save(tmp_path / "line.png")
    with hub_server.running() as (hub, address):
        hub.repos["owner/tiny"] = {path.name: path.read_bytes() for path in model_folder.iterdir()}
        environment = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-m", "glyphline", "read", "--model", "owner/tiny", str(tmp_path / "line.png")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert (done.returncode, done.stdout) == (0, f"{TEXTS[0]}\n"), done.stderr


def test_plain_transformers_loads_from_the_hub(model_folder, tmp_path):
    Image.fromarray(line_picture(1)).save(tmp_path / "line.png")
    script = (
        "from PIL import Image\n"
        "from transformers import AutoTokenizer, TrOCRProcessor, VisionEncoderDecoderModel\n"
        "name = 'owner/tiny'\n"
        "processor = TrOCRProcessor.from_pretrained(name)\n"
        "model = VisionEncoderDecoderModel.from_pretrained(name)\n"
        "pixels = processor(Image.open('line.png').convert('RGB'), return_tensors='pt').pixel_values\n"
        "print(AutoTokenizer.from_pretrained(name).batch_decode(model.generate(pixels), skip_special_tokens=True)[0])\n"
    )
    with hub_server.running() as (hub, address):
        hub.repos["owner/tiny"] = {path.name: path.read_bytes() for path in model_folder.iterdir()}
        environment = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=tmp_path)
    assert done.stdout == f"{TEXTS[1]}\n", done.stderr


def go_to(monkeypatch, address):
    """Let this process take `address` for the hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")


def go_away(monkeypatch):
    """Let the hub be where nobody answers."""
    go_to(monkeypatch, "http://127.0.0.1:9")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub for this very process."""
    from huggingface_hub import constants

    with hub_server.running() as (hub, address):
        go_to(monkeypatch, address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", hub_server.TOKEN)
        # Large files by the hub's older protocol, which can be served here.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield hub


def refused(capsys, arguments, status, command=main):
    """Return the last line on standard error of a command that ends with `status`."""
    assert command([str(argument) for argument in arguments]) == status
    return capsys.readouterr().err.splitlines()[-1]


def test_there_and_back(hub, model_folder, tmp_path, monkeypatch, capsys):
    from huggingface_hub import constants

    from glyphline.delivery.read import main as read

    upload = ["--model", str(model_folder), "--repo", "owner/tiny", "--license", "mit", "--private"]
    assert main(upload) == 0
    assert capsys.readouterr().out == f"uploaded: {constants.ENDPOINT}/owner/tiny\n"
    assert hub.private == {"owner/tiny": True}
    files = hub.repos["owner/tiny"]
    assert files["model.safetensors"] == (model_folder / "model.safetensors").read_bytes()
    assert b"license: mit" in files["README.md"] and b'from_pretrained("owner/tiny")' in files["README.md"]
    assert f"{hashlib.sha256(files['README.md']).hexdigest()}  README.md" in files["SHA256SUMS"].decode()

    files["notes.html"], files["old.safetensors"] = b"somebody's page", b"an older model"
    assert main(upload) == 0
    assert "notes.html" in files and "old.safetensors" not in files

    Image.fromarray(line_picture(0)).save(tmp_path / "line.png")
    capsys.readouterr()
    for gone in (False, True):  # without the hub the copy in the cache still serves
        if gone:
            go_away(monkeypatch)
        assert read(["--model", "owner/tiny", str(tmp_path / "line.png")]) == 0
        assert capsys.readouterr().out == f"{TEXTS[0]}\n"


def test_what_a_hub_can_do_wrong(hub, model_folder, monkeypatch, capsys):
    upload = ["--model", model_folder, "--repo", "owner/tiny", "--license", "mit"]
    monkeypatch.setenv("HF_TOKEN", "")
    assert "--repo needs a token of the hub: set HF_TOKEN" in refused(capsys, upload, 2)
    assert hub.asked == []
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "is the token valid, and may it write there?" in refused(capsys, upload, 2)
    assert hub.repos == {}
    monkeypatch.setenv("HF_TOKEN", hub_server.TOKEN)
    hub.failing = 400
    assert "owner/tiny: the hub answers" in refused(capsys, upload, 2)
    assert "no name for the hub" in refused(capsys, [*upload, "--repo", "owner/a b"], 2)
    go_away(monkeypatch)
    assert "owner/tiny: the upload failed" in refused(capsys, upload, 1)


def test_a_hub_name_that_cannot_be_read(hub, model_folder, monkeypatch, capsys):
    from glyphline.delivery.read import main as read

    name = ["--model", "owner/none", "x.png"]
    assert "owner/none: no such folder, and no such model on the hub" in refused(capsys, name, 2, read)
    hub.repos["owner/none"] = {"README.md": b"nothing but words"}
    assert "owner/none: on the hub, but it holds no model" in refused(capsys, name, 2, read)
    go_away(monkeypatch)
    assert "the hub cannot be reached" in refused(capsys, ["--model", "owner/tiny", "x.png"], 2, read)
