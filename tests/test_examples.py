"""The notebooks under examples/: committed without outputs, run from first cell to last, right in what they compute.

Each runs in a copy of the project's outline in a temporary folder, so that nothing can hang on where the checkout
lies, and what a notebook writes goes away with it. The test adds a last cell that hands back what the others computed.
"""

import csv
import json
import unicodedata
from collections import Counter
from pathlib import Path

import jiwer
import nbformat
import pytest
from nbclient import NotebookClient

from glyphline.models import shipped_models

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture
def run_notebook(tmp_path, monkeypatch):
    """Return a function that runs a notebook and returns it with the value of an expression at its end."""
    for name in ("pyproject.toml", "demo", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    folder = tmp_path / "examples"
    folder.mkdir()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # figures are to appear in the notebook, as they do for people

    def run(name, expression):
        notebook = nbformat.read(ROOT / "examples" / f"{name}.ipynb", as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(f"import json; print(json.dumps({expression}))"))
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
        return notebook, json.loads(printed(notebook.cells[-1]))

    return run


def printed(cell):
    """Return what a cell wrote to its standard output."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


def kinds(notebook):
    """Return how often the cells show a picture, a table and so on, by media type."""
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return Counter(kind for output in shown for kind in output.get("data", {}))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert path.stat().st_size < 100_000


def test_looking_at_a_data_set(run_notebook):
    notebook, found = run_notebook(
        "look_at_a_data_set",
        """{"lengths": lengths, "widths": widths, "seen": seen, "unseen": sorted(unseen),
            "dropped": sum(manifest.drops.values()),
            "plain": {name: list(part["text"]) for name, part in plain.items()}}""",
    )
    with (ROOT / "demo/handwriting/labels.tsv").open(encoding="utf-8", newline="") as handle:
        labels = [row["text"] for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)]
    counts = {split: len(texts) for split, texts in found["plain"].items()}
    assert sum(counts.values()) + found["dropped"] == len(labels)
    assert counts["train"] > counts["test"] > counts["validation"] > 0
    assert counts == {split: len(values) for split, values in found["lengths"].items()}
    assert counts == {split: len(values) for split, values in found["widths"].items()}
    # What plain `datasets` opens holds the published texts, and the characters that the notebook counted.
    opened = [text for texts in found["plain"].values() for text in texts]
    assert not Counter(opened) - Counter(" ".join(unicodedata.normalize("NFC", text).split()) for text in labels)
    assert {split: [len(text) for text in texts] for split, texts in found["plain"].items()} == found["lengths"]
    train = Counter("".join(found["plain"]["train"]))
    assert found["seen"] == train
    assert found["unseen"] == sorted(set("".join(opened)) - set(train))
    assert kinds(notebook)["image/png"] == 3  # histograms, contact sheet, the first line
    assert kinds(notebook)["text/html"] == 1


@pytest.mark.skipif("ko-tiny" not in shipped_models(), reason="no model ko-tiny ships (models/ko-tiny)")
def test_reading_and_scoring(run_notebook):
    notebook, found = run_notebook(
        "read_and_score",
        """{"modes": modes, "read": [reading.text for reading in readings], "worst": [line.id for line in worst],
            "lines": {mode: [[line.id, line.reference, line.prediction, line.confidence] for line in score.lines]
                      for mode, score in scores.items()},
            "cer": {mode: [m.value, m.low, m.high] for mode, score in scores.items()
                    for m in [score.measures(resamples=200)["cer"]]}}""",
    )
    assert found["modes"] == ["auto", *found["modes"][1:]]
    assert len(found["modes"]) > 1
    for mode, lines in found["lines"].items():
        _, references, predictions, confidences = zip(*lines, strict=True)
        assert len(lines) == 28
        # In Korean in NFC a code point is a character, so an independent library has to come to the same rate.
        value, low, high = found["cer"][mode]
        assert value == pytest.approx(jiwer.cer(list(references), list(predictions)))
        assert low <= value <= high
        assert all(0 <= confidence <= 1 for confidence in confidences)
    assert found["cer"]["auto"][0] < 0.5
    read = {name: prediction for name, _, prediction, _ in found["lines"]["auto"]}
    wrong = {name for name, reference, prediction, _ in found["lines"]["auto"] if reference != prediction}
    assert found["read"] == list(read.values())[: len(found["read"])]
    assert set(found["worst"]) <= wrong
    assert len(found["worst"]) == min(6, len(wrong))
    assert kinds(notebook)["text/html"] == 3  # pictures from elsewhere, rendered lines, the worst lines
