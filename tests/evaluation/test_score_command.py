"""The score command on a small folder of lines: files, figures, report, refusals."""

import json
from html.parser import HTMLParser

import pytest
from fake_reader import FakeReader, sample

from glyphline.evaluation import run
from glyphline.evaluation.report import differences, worst_lines
from glyphline.images import encode
from glyphline.manifest import open_output, pack_lines
from glyphline.settings import InputError

TEXTS = ["le chat & <b>le</b> chien", "한국어 시험", "1905", "J'ai lu", "été"]


@pytest.fixture
def folder(tmp_path):
    output = open_output(str(tmp_path / "lines"), "lines", {"made": "by hand"})
    pairs = [(sample(k, text), encode(sample(k, text).image)) for k, text in enumerate(TEXTS)]
    output.commit("data/test-00000-of-00001.parquet", pack_lines(pairs), {"lines": len(TEXTS)})
    output.finish(["data/test-00000-of-00001.parquet"])
    return str(tmp_path / "lines")


def score(folder, tmp_path, name="score", reader=None, **more):
    settings = run.ScoreSettings(model="m/stage2", lines=folder, output=str(tmp_path / name), resamples=50, **more)
    return run.score_folder(
        reader or FakeReader(TEXTS), settings, {"settings": {"split": settings.split}, "inputs": {}}
    )


def test_files_and_figures(folder, tmp_path):
    metrics = score(folder, tmp_path)
    assert list(metrics["modes"]) == ["ctc", "decoder"]
    characters = sum((25, 6, 4, 7, 3))
    assert metrics["modes"]["ctc"]["overall"]["cer"]["errors"] == 5
    assert metrics["modes"]["ctc"]["overall"]["cer"]["total"] == characters
    assert metrics["modes"]["decoder"]["overall"]["exact"]["value"] == 1.0
    assert set(metrics["modes"]["ctc"]["by_script"]) == {"Latin", "Hangul", "Common"}
    assert sum(part["lines"] for part in metrics["modes"]["ctc"]["by_group"].values()) == 5
    assert json.loads((tmp_path / "score/metrics.json").read_text(encoding="utf-8")) == json.loads(json.dumps(metrics))
    rows = [
        json.loads(line) for line in (tmp_path / "score/predictions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [(row["id"], row["mode"]) for row in rows[:2] + rows[5:6]] == [
        ("s0", "ctc"),
        ("s1", "ctc"),
        ("s0", "decoder"),
    ]
    assert sum(row["edits"] for row in rows) == 5
    assert "decoder" in run.table(metrics)


def test_same_twice(folder, tmp_path):
    score(folder, tmp_path, "one")
    score(folder, tmp_path, "two", chunk=2)
    for name in ("metrics.json", "predictions.jsonl", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


class Page(HTMLParser):
    """Collects addresses and checks that tags close."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for key, value in attributes if key in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_report_is_escaped_closed_and_self_contained(folder, tmp_path):
    score(folder, tmp_path, modes=["ctc"])
    page = Page()
    source = (tmp_path / "score/report.html").read_text(encoding="utf-8")
    page.feed(source)
    assert page.open == []
    assert len(page.addresses) == 2 * len(TEXTS)
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert "<b>le</b>" not in source
    assert "e chat & <b>le</b> chien" in "".join(page.text)


def test_another_models_predictions_are_compared(folder, tmp_path):
    score(folder, tmp_path, "first", modes=["ctc"])
    against = str(tmp_path / "first/predictions.jsonl")
    metrics = score(folder, tmp_path, "second", modes=["decoder"], against=against)
    (cer, wer) = metrics["comparisons"]
    assert (cer["first"], cer["second"]) == (pytest.approx(5 / 45), 0.0)
    assert wer["measure"] == "wer"
    (tmp_path / "short.jsonl").write_text('{"id": "s0", "reference": "x", "prediction": "y"}\n')
    with pytest.raises(InputError, match="lacks 4 of 5 lines"):
        score(folder, tmp_path, "third", against=str(tmp_path / "short.jsonl"))
    (tmp_path / "bad.jsonl").write_text('{"id": "s0"}\n')
    with pytest.raises(InputError, match="line 1: not a prediction"):
        score(folder, tmp_path, "third", against=str(tmp_path / "bad.jsonl"))


def test_refusals(folder, tmp_path):
    with pytest.raises(InputError, match="no lines in split 'validation'"):
        score(folder, tmp_path, split="validation")
    with pytest.raises(InputError, match="reads by ctc, decoder"):
        score(folder, tmp_path, modes=["beam"])
    assert not (tmp_path / "score").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("x")
    with pytest.raises(InputError, match="thesis"):
        run._finished(str(tmp_path / "other"), {})


def test_finished_folder_is_known_again(folder, tmp_path):
    key = {"settings": {"split": "test"}, "inputs": {}}
    score(folder, tmp_path)
    assert run._finished(str(tmp_path / "score"), key)
    with pytest.raises(InputError, match="split"):
        run._finished(str(tmp_path / "score"), {"settings": {"split": "train"}, "inputs": {}})
    with pytest.raises(InputError, match="another lines"):
        run._finished(str(tmp_path / "score"), key | {"inputs": {"lines": "abc"}})


def test_command_says_what_is_missing(folder, tmp_path, capsys):
    assert run.main(["--lines", folder]) == 2
    assert "--model is missing" in capsys.readouterr().err
    assert run.main(["--model", str(tmp_path), "--lines", folder, "--output", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_differences_rebuild_both_texts():
    left, right = differences("abcd", "axcde")
    assert left == [("same", "a"), ("wrong", "b"), ("same", "cd")]
    assert right == [("same", "a"), ("wrong", "x"), ("same", "cd"), ("wrong", "e")]


def test_worst_lines_are_the_wrong_ones(folder):
    from glyphline.evaluation.scores import score_samples

    lines = score_samples(FakeReader(TEXTS), [sample(k, text) for k, text in enumerate(TEXTS)], "ctc").lines
    assert [line.id for line in worst_lines(lines, 2)] == ["s4", "s2"]
    right = score_samples(FakeReader(TEXTS), [sample(0, TEXTS[0])], "decoder").lines
    assert worst_lines(right, 2) == []
