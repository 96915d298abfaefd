"""The corpus command end to end, on small texts."""

import errno
import json
from pathlib import Path

import pytest

from glyphline.corpus.collect import main
from glyphline.manifest import Output, Storage, read_corpus, read_manifest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def french(tmp_path):
    """A French text with something for several filters."""
    path = tmp_path / "fr.txt"
    rows = [
        "Où étiez-vous l'été dernier ? Nous vous attendions au bord de la mer.",
        "Le train de 10 h 42 coûte 3,50 € et part du quai n° 7.",
        "Le train de 10 h 42 coûte 3,50 € et part du quai n° 7.",
        "x",
        "!!!!",
        "Ceci est <b>gras</b>.",
        "Voir https://exemple.fr/page pour la suite.",
        "Привет, как дела сегодня?",
        "Trop loooooooooooooooooooooong.",
    ]
    path.write_text("\n".join(rows), encoding="utf-8-sig")
    return path


def collect(tmp_path, name, *arguments):
    folder = str(tmp_path / name)
    return main([*map(str, arguments), "--output", folder, "--workers", "1"]), folder


def test_counts_and_reasons(tmp_path, french):
    status, folder = collect(tmp_path, "out", french, "--language", "fr", "--list-drops", "--lines_txt")
    assert status == 0
    manifest = read_manifest(folder, "corpus")
    reasons = ("duplicate", "too_short", "no_letters", "markup", "url", "wrong_script", "repeated_characters")
    assert manifest.drops == dict.fromkeys(reasons, 1)
    texts = [line.text for line in read_corpus(folder)]
    assert texts == [
        "Où étiez-vous l'été dernier ?",
        "Nous vous attendions au bord de la mer.",
        "Le train de 10 h 42 coûte 3,50 € et part du quai n° 7.",
    ]
    assert (Path(folder) / "lines.txt").read_text(encoding="utf-8").splitlines() == texts
    listed = [json.loads(row) for row in (Path(folder) / "drops.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(drop["reason"] for drop in listed) == sorted(reasons)


def test_workers_do_not_matter(tmp_path):
    config = ROOT / "configs/corpus/demo.yaml"
    sources = ["--sources.chatbot.path", ROOT / "demo/text/ko.chatbot.txt", "--sources.ud_gsd.path"]
    hashes = set()
    for workers in (1, 2):
        arguments = ["--config", config, *sources, ROOT / "demo/text/fr.ud_gsd.txt", "--chunk_documents", 500]
        folder = str(tmp_path / str(workers))
        assert main([*map(str, arguments), "--output", folder, "--workers", str(workers)]) == 0
        hashes.add(read_manifest(folder).hash)
    assert len(hashes) == 1
    lines = list(read_corpus(folder))
    assert {line.language for line in lines} == {"ko", "fr"}
    assert max(len(line.text) for line in lines) <= 16
    assert len({line.id for line in lines}) == len({line.text for line in lines}) == len(lines)


def test_a_full_disk_is_named(tmp_path, french, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "write_parts", full)
        patch.setattr(
            "glyphline.corpus.collect.open_output", lambda *_: Output(Storage(tmp_path / "out"), "corpus", {}, {})
        )
        status, folder = collect(tmp_path, "out", french, "--language", "fr")
    assert status == 1
    assert f"{folder}: No space left on device; make room" in capsys.readouterr().err


def test_nothing_left_says_why(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text('{"title": "x"}\n{"text": "!!"}\n', encoding="utf-8")
    sources = f'{{"a": {{"source": "jsonl", "path": "{tmp_path}/a.jsonl"}}}}'
    status, _ = collect(tmp_path, "out", f"--sources={sources}", "--language", "fr")
    assert status == 2
    assert "no line is left (missing_field 1, no_letters 1)" in capsys.readouterr().err
