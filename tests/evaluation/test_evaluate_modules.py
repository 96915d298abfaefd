"""The measures as `evaluate` modules give what our own functions and jiwer give, without a network."""

import jiwer
import pytest

from glyphline.evaluation.metrics import count_errors, summarise
from glyphline.settings import InputError

evaluate = pytest.importorskip("evaluate")

from glyphline.evaluation.modules import NAMES, module_path  # noqa: E402

REFERENCES = ["한국어 시험", "le chat", "１２ kg"]
PREDICTIONS = ["한굴어시험", "le chien", "12 kg"]


@pytest.mark.parametrize("name", NAMES)
def test_module_equals_summary(name):
    lines = [count_errors(a, b) for a, b in zip(REFERENCES, PREDICTIONS, strict=True)]
    found = evaluate.load(module_path(name)).compute(references=REFERENCES, predictions=PREDICTIONS)
    assert found == {name: summarise(lines, resamples=0)[name].value}


def test_modules_equal_jiwer_and_take_rules():
    wer = evaluate.load(module_path("wer"))
    assert wer.compute(references=REFERENCES, predictions=PREDICTIONS)["wer"] == pytest.approx(
        jiwer.wer(REFERENCES, PREDICTIONS)
    )
    exact = evaluate.load(module_path("exact"))
    assert exact.compute(references=REFERENCES, predictions=PREDICTIONS, rules={"form": "NFKC"})["exact"] == 1 / 3


def test_unknown_measure():
    with pytest.raises(InputError, match="did you mean 'cer'"):
        module_path("cerr")
