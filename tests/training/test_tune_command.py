"""`glyphline tune`: weights stay, reading changes."""

import pytest
from lines import bar_code
from safetensors.torch import load_file

from glyphline.delivery.card import count_parameters
from glyphline.models import load_recogniser
from glyphline.training.run import main as train
from glyphline.training.tuning import main


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("finished") / "run"
    assert train(["--config", config, "--output", str(output)]) == 0
    return output


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "archive.txt"
    path.write_text("가나다라\n마라\n" * 20, encoding="utf-8")
    return str(path)


def test_a_corpus_is_counted_and_lines_choose(finished, lines, texts, tmp_path, capsys):
    output = tmp_path / "tuned"
    options = ["--options", '{"beam_width": 5}', "--lines", lines, "--output", str(output)]
    assert main(["--model", str(finished), "--corpus", texts, *options]) == 0
    assert "trust" in capsys.readouterr().out
    before, after = load_recogniser(str(finished), "cpu"), load_recogniser(str(output), "cpu")
    weights, same = (load_file(f / "model.safetensors") for f in (finished / "model", output))
    assert all(weights[name].equal(same[name]) for name in weights)
    assert after.language.counts[0].sum() == before.language.counts[0].sum() + 5 + 3  # each text once
    assert after.card.options["beam_width"] == 5
    noted = after.card.data["tune1"]
    assert noted["chosen"].items() <= after.card.options.items() and noted["sources"][0]["lines"] == 2
    assert count_parameters(output) == sum(p.numel() for p in after.parameters())
    assert after.read([bar_code("가나")])[0].text is not None


def test_afresh_forgets_what_was_counted(finished, texts, tmp_path):
    assert main(["--model", str(finished), "--corpus", texts, "--afresh", "true", "--output", str(tmp_path / "m")]) == 0
    assert load_recogniser(str(tmp_path / "m"), "cpu").language.counts[0].sum() == 5 + 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--corpus, --lines or --options is required"),
        (["--corpus", "nowhere.txt"], "nowhere.txt"),
        (["--lines", "nowhere"], "nowhere"),
        (["--options", '{"encoder_size": 8}'], "'encoder_size' cannot be changed"),
    ],
)
def test_mistakes_are_told(finished, tmp_path, capsys, options, said):
    assert main(["--model", str(finished), *options, "--output", str(tmp_path / "tuned")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "tuned").exists()


def test_a_folder_with_other_things_is_left_alone(finished, texts, tmp_path, capsys):
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned" / "mine.txt").write_text("x")
    assert main(["--model", str(finished), "--corpus", texts, "--output", str(tmp_path / "tuned")]) == 2
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "tuned" / "mine.txt").read_text() == "x"


def test_a_model_without_ctc_has_no_use_for_texts(config, texts, tmp_path, capsys):
    options = ["--model.options.ctc", "false", "--optimisation.steps", "1", "--output", str(tmp_path / "plain")]
    assert train(["--config", config, *options]) == 0
    assert main(["--model", str(tmp_path / "plain"), "--corpus", texts, "--output", str(tmp_path / "tuned")]) == 2
    assert "no CTC head" in capsys.readouterr().err
