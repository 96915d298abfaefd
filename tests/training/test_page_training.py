"""The page family through the commands, on pages composed of bar codes: train, resume, doctor, score, read, publish."""

import json

import numpy as np
import pytest
import torch
from lines import bar_code, texts
from PIL import Image
from safetensors.torch import load_file

from glyphline.delivery.publish import main as publish
from glyphline.delivery.read import main as read
from glyphline.evaluation.run import main as score
from glyphline.models import load_recogniser
from glyphline.settings import InputError, build
from glyphline.training.data import LineItems, check_lengths, open_source
from glyphline.training.doctor import main as doctor
from glyphline.training.run import main
from glyphline.training.settings import TrainSource

CONFIG = """
model:
  family: page
  canvas: {{mode: page, height: 192, width: 192, height_step: 16, width_step: 16}}
  options: {{encoder: light, size: 32, layers: 1, heads: 2, inner: 64}}
data:
  train:
    - {{lines: {lines}, page: {{most: 1, margin: [0.0, 0.2]}}, end: 0.5}}
    - {{lines: {lines}, page: {{most: 3, margin: [0.0, 0.2]}}, begin: 0.5, weight: 3}}
    - {{lines: {lines}, begin: 0.5}}
  validation: {{bars: {{lines: {lines}}}}}
optimisation: {{steps: 8, batch_size: 4, learning_rate: 0.002}}
control: {{evaluate_every: 4, log_every: 2}}
threads: 1
device: cpu
"""


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("page") / "run"
    assert main(["--config", config, "--output", str(output)]) == 0
    return output


def open_pages(lines, seed=3, **page):
    return open_source(build(TrainSource, {"lines": lines, "page": page}, "test"), seed)


def test_pages_are_composed_of_the_train_split_alone(lines):
    known, source = set(texts(40, 1)), open_pages(lines, most=4)
    for position in range(60):
        image, text = source.item(position)
        assert set(text.split("\n")) <= known
        assert image.ndim == 2 and image.shape[0] >= 32 * 0.7 * len(text.split("\n"))
    np.testing.assert_array_equal(source.item(7)[0], open_pages(lines, most=4).item(7)[0])


def test_pages_keep_to_the_models_limit(lines):
    source = open_pages(lines, least=4, most=4)
    assert check_lengths([source], lambda rows: [len(text) + 1 for text in rows], 12) == []
    made = [source.item(position)[1] for position in range(40)]
    assert max(map(len, made)) <= 11
    assert any("\n" in text for text in made)


def test_the_curriculum_goes_from_one_line_to_many(lines):
    plans = [{"most": 1}, {"least": 2, "most": 3}]
    sources = [
        build(TrainSource, {"lines": lines, "page": page, "begin": 0.5 * n, "end": 0.5 * (n + 1)}, "test")
        for n, page in enumerate(plans)
    ]
    items = LineItems([(open_source(source, n), source) for n, source in enumerate(sources)], 20, 1)
    assert [items[index][1].count("\n") > 0 for index in range(20)] == [False] * 10 + [True] * 10


@pytest.mark.parametrize("page", [{"wrap": 5}, {"least": 3, "most": 2}, {"most_lines": 3}])
def test_settings_of_pages_that_cannot_be_are_refused(lines, page):
    with pytest.raises(InputError, match="page"):
        open_pages(lines, **page)


def test_a_run_leaves_a_model_of_pages(finished):
    card = json.loads((finished / "model" / "glyphline.json").read_text())
    assert card["family"] == "page" and "\n" in card["charset"]
    assert card["rules"]["collapse_space"] == "lines"
    assert card["max_length"] >= 3 * 6 + 3  # three lines of six letters, from the data
    assert len(list((finished / "tensorboard").rglob("events.*"))) == 1
    noted = [json.loads(row) for row in (finished / "samples.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in noted] == [4, 8] and noted[0]["worst"]


def test_a_resumed_run_ends_with_the_same_weights(config, finished, tmp_path):
    import glyphline.training.trainer as trainer

    begin, stop = trainer.Interruption.on_step_end, 5

    def interrupted(self, args, state, control, **given):
        self.asked = self.asked or state.global_step == stop
        begin(self, args, state, control, **given)

    trainer.Interruption.on_step_end = interrupted
    try:
        assert main(["--config", config, "--output", str(tmp_path / "run")]) == 130
    finally:
        trainer.Interruption.on_step_end = begin
    assert main(["--config", config, "--output", str(tmp_path / "run"), "--resume"]) == 0
    ours, theirs = (load_file(run / "model" / "model.safetensors") for run in (finished, tmp_path / "run"))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_model_is_scored_read_and_published(finished, lines, tmp_path, capsys):
    run, page = str(finished), tmp_path / "page.png"
    Image.fromarray(np.concatenate([bar_code("가나"), np.full((32, 40), 250, np.uint8)])).save(page)
    assert score(["--model", run, "--lines", lines, "--split", "validation", "--output", str(tmp_path / "s")]) == 0
    capsys.readouterr()
    assert read(["--model", run, "--format", "jsonl", str(page)]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["text"] == load_recogniser(run, "cpu").read([np.asarray(Image.open(page))])[0].text
    assert publish(["--model", run, "--output", str(tmp_path / "hub"), "--license", "apache-2.0"]) in (0, None)
    assert load_recogniser(str(tmp_path / "hub"), "cpu").card.family == "page"


def test_doctor_looks_at_pages(config, capsys):
    assert doctor(["--config", config, "--overfit_steps", "0"]) in (0, 1)
    said = capsys.readouterr().out
    assert "canvas" in said or "page 192x192" in said
    assert "pixels" in said and "CTC frames" in said


def test_a_second_stage_starts_from_the_first(config, finished, lines, tmp_path):
    second = tmp_path / "second.yaml"
    second.write_text(
        f"model: {{start: {finished}, options: {{ctc_weight: 0.1, beams: 2}}}}\n"
        f"data: {{train: [{{lines: {lines}, page: {{most: 2}}}}], validation: {{bars: {{lines: {lines}}}}}}}\n"
        "optimisation: {steps: 2, batch_size: 2}\ncontrol: {evaluate_every: 2, report_to: []}\n"
        "threads: 1\ndevice: cpu\n"
    )
    assert main(["--config", str(second), "--output", str(tmp_path / "run")]) == 0
    assert load_recogniser(str(tmp_path / "run"), "cpu").options.beams == 2
