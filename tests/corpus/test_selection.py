"""Decisions over the whole corpus against brute force: duplicates, near-duplicates, samples, characters, coverage."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from glyphline.corpus import neighbours, selection
from glyphline.corpus.analysis import split_of
from glyphline.corpus.collect import collect, main
from glyphline.corpus.coverage import Form, make_up
from glyphline.corpus.settings import CollectSettings, CoverageSettings, FilterSettings, LineMix, SplitSettings
from glyphline.corpus.similarity import bands, groups, likeness
from glyphline.manifest import read_corpus, read_manifest, verify
from glyphline.plugins import load
from glyphline.seeds import rng
from glyphline.settings import InputError
from glyphline.text import count_graphemes, graphemes

ROOT = Path(__file__).parents[2]
FRENCH = ROOT / "demo/text/fr.ud_gsd.txt"
KOREAN = ROOT / "demo/text/ko.chatbot.txt"


def make(tmp_path, texts, name="out", language="fr", **more):
    path = tmp_path / f"{name}.txt"
    path.write_text("\n".join(texts), encoding="utf-8")
    settings = CollectSettings(
        output=str(tmp_path / name), files=[str(path)], language=language, workers=1, chunk_documents=64, **more
    )
    return collect(settings), list(read_corpus(settings.output))


@pytest.fixture(scope="module")
def sentences():
    return FRENCH.read_text(encoding="utf-8").splitlines()[:300]


def test_first_of_equal_texts_stays_whatever_the_range(tmp_path, sentences, monkeypatch):
    texts = [*sentences[:150], *sentences[50:200], *sentences[:10]]
    _, whole = make(tmp_path, texts, "whole", max_graphemes=400)
    monkeypatch.setattr(selection, "HASHES_AT_ONCE", 40)
    manifest, parts = make(tmp_path, texts, "parts", max_graphemes=400)
    assert [line.text for line in parts] == [line.text for line in whole]
    assert [line.text for line in whole] == list(dict.fromkeys(line.text for line in whole))
    assert manifest.drops["duplicate"] >= 110


def test_near_duplicates_are_those_of_brute_force(tmp_path, sentences, monkeypatch):
    generator = rng(0, "near")
    texts = list(sentences[:120])
    for text in sentences[:60]:
        words = text.split()
        words[int(generator.integers(0, len(words)))] = "Autrement"
        texts.append(" ".join(words))
    texts.append(sentences[0].upper() + " !!")
    filters = FilterSettings(near_duplicates=0.8)
    _, kept = make(tmp_path, texts, filters=filters, max_graphemes=400)
    _, every = make(tmp_path, texts, "every", max_graphemes=400)
    expected = []
    for line in every:
        if all(likeness(line.text, earlier) < 0.8 for earlier in expected):
            expected.append(line.text)
    missed = {line.text for line in kept} - set(expected)
    dropped = len(every) - len(expected)
    assert dropped > 20 and set(expected) <= {line.text for line in kept}
    for name in ("LINES_A_PART", "PAIRS_A_JOB", "HASHES_AT_ONCE"):
        monkeypatch.setattr(selection if name == "HASHES_AT_ONCE" else neighbours, name, 50)
    _, again = make(tmp_path, texts, "again", filters=filters, max_graphemes=400)
    assert again == kept
    # MinHash may miss a pair, with a probability of 2 % at the threshold; it never drops one that is not alike.
    assert len(missed) <= 0.1 * dropped


def test_bands_agree_as_often_as_theory_says():
    base = "".join(chr(0xAC00 + int(i)) for i in rng(1).integers(0, 11000, 300))
    for cut, least, most in ((5, 0.97, 1.0), (250, 0.0, 0.2)):
        pairs = [
            (base[i : i + 40 + cut], base[i + cut : i + 40 + 2 * cut] if cut > 40 else base[i : i + 40])
            for i in range(0, 10)
        ]
        values = bands(list(itertools.chain(*pairs)))
        found = sum(bool((values[2 * i] == values[2 * i + 1]).any()) for i in range(len(pairs)))
        assert least <= found / len(pairs) <= most
    assert groups("가나 다!") == {"가나다"} and likeness("가나다", "가나다!") == 1


def test_sample_is_exact_and_moves_little(tmp_path, sentences):
    manifest, few = make(tmp_path, sentences, max_lines=100)
    assert manifest.counts["lines"] == len(few) == 100
    _, more = make(tmp_path, [*sentences, "Une phrase de plus."], "more", max_lines=100)
    assert len({line.id for line in few} & {line.id for line in more}) >= 99


def test_charset_limit_against_counting(tmp_path):
    texts = KOREAN.read_text(encoding="utf-8").splitlines()[:600]
    _, every = make(tmp_path, texts, "every", language="ko")
    _, kept = make(tmp_path, texts, language="ko", charset_limit=150)
    counts = Counter("".join(line.text for line in every))
    del counts[" "]
    allowed = {c for c, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:150]} | {" "}
    assert [line.text for line in kept] == [line.text for line in every if set(line.text) <= allowed]
    assert 0 < len(kept) < len(every)


def test_splits_have_their_shares_and_stay(tmp_path, sentences):
    split = SplitSettings(validation=0.2, test=0.1)
    places = Counter(split_of(f"Satz {i}", 0, split) for i in range(4000))
    assert abs(places["test"] - 400) < 80 and abs(places["validation"] - 800) < 110
    assert split_of("Hallo, Welt!", 0, split) == split_of("hallo welt", 0, split)
    _, first = make(tmp_path, sentences[:200], split=split)
    _, second = make(tmp_path, ["Autre chose.", *sentences], "more", split=split)
    places = {line.text: line.split for line in second}
    assert all(places[line.text] == line.split for line in first)
    assert len({line.split for line in first}) == 3


@pytest.mark.parametrize("language", ["ko", "fr"])
def test_mix_has_its_shares(tmp_path, language):
    texts = (KOREAN if language == "ko" else FRENCH).read_text(encoding="utf-8").splitlines()[:700]
    mix = LineMix(whole=0.4, wrapped=0.2, phrase=0.2, number=0.05, date=0.05, address=0.05, mixed=0.05)
    manifest, lines = make(tmp_path, texts, language=language, mix=mix, max_graphemes=160, min_graphemes=1)
    made = Counter({key.removeprefix("kind "): n for key, n in manifest.counts.items() if key.startswith("kind ")})
    for kind, share in vars(mix).items():
        assert abs(made[kind] / made.total() - share) < 0.04, (kind, made)
    assert manifest.counts["source generated"] == sum(made[k] for k in ("number", "date", "address", "mixed"))
    assert all(line.text.isprintable() for line in lines)
    again, _ = make(tmp_path, texts, "again", language=language, mix=mix, max_graphemes=160, min_graphemes=1)
    assert {shard["sha256"] for shard in again.shards} == {shard["sha256"] for shard in manifest.shards}


def test_all_syllables_appear_when_asked(tmp_path):
    texts = KOREAN.read_text(encoding="utf-8").splitlines()[:500]
    coverage = CoverageSettings(minimum=2, characters="hangul")
    manifest, lines = make(tmp_path, texts, language="ko", coverage=coverage, max_graphemes=24)
    held = Counter(c for line in lines for c in set(line.text))
    assert all(held[chr(code)] >= 2 for code in range(0xAC00, 0xD7A4))
    assert max(count_graphemes(line.text) for line in lines) <= 24
    assert manifest.facts["hangul_syllables"] == 11172
    # A handful of rare ones a line, not one each.
    assert manifest.counts["kind coverage"] < 11172 * 2 / 3


def test_rare_characters_are_chosen_before_others(tmp_path, sentences):
    coverage = CoverageSettings(minimum=1)
    manifest, lines = make(tmp_path, sentences, max_lines=60, coverage=coverage, max_graphemes=400)
    _, every = make(tmp_path, sentences, "every", max_graphemes=400)
    wanted = {g for line in every for g in graphemes(line.text)}
    assert {g for line in lines for g in graphemes(line.text)} >= wanted
    assert "kind coverage" not in manifest.counts and len(lines) == 60
    with pytest.raises(InputError, match="max_lines 3 is too low"):
        make(tmp_path, sentences, "low", max_lines=3, coverage=coverage, max_graphemes=400)


@pytest.mark.parametrize("code", ["hi", "th", "ja", "ar", "ml"])
def test_made_up_lines_hold_what_is_missing(code):
    language = load("language", code).LANGUAGE
    words = "".join(language.samples).split()[:20] or [language.samples[0]]
    missing = Counter({g: 2 for g in graphemes("".join(language.samples)) if not g.isspace()} | {"€": 3, "ॐ": 1})
    lines = make_up(missing, Form(language, [w[:6] for w in words], 2, 30), 0)
    held = Counter(g for line in lines for g in set(graphemes(line)))
    assert all(held[g] >= n for g, n in missing.items())
    assert max(map(count_graphemes, lines)) <= 30


def arguments(folder, *more):
    first = {"source": "text", "path": str(FRENCH), "limit": 300}
    sources = json.dumps({"a": first, "b": {"source": "text", "path": str(FRENCH)}})
    return [f"--sources={sources}", "--language=fr", "--chunk_documents=60", "--chunks_per_shard=8", "--workers=2",
            "--mix.number=0.1", "--lines_txt", "--list-drops", "--output", str(folder), *more]  # fmt: skip


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.suffix != ".log"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "whole"
    assert main(arguments(folder)) == 0
    return contents(folder)


def test_killed_and_run_again_gives_the_same_bytes(tmp_path, finished):
    folder = tmp_path / "killed"
    for wanted in (2, 9):
        process = subprocess.Popen(
            [sys.executable, "-m", "glyphline", "collect", *arguments(folder)],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        chunks = folder / ".progress/chunks"
        while process.poll() is None and (not chunks.is_dir() or len(list(chunks.glob("*.arrow"))) < wanted):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (folder / "manifest.json").exists()
    assert main(arguments(folder)) == 0
    assert contents(folder) == finished
    assert verify(str(folder)) == []


def test_parts_of_many_machines_give_the_same_bytes(tmp_path, finished, capsys):
    folder = tmp_path / "parts"
    for part in ("1/3", "0-0/3", "2-2/3"):
        assert main(arguments(folder, "--shards", part)) == 0
        if part != "2-2/3":
            assert not (folder / "manifest.json").exists()
    assert main(arguments(folder)) == 0
    assert contents(folder) == finished
    assert main(arguments(tmp_path / "bad", "--shards", "3-2/3")) == 2
    assert "a <= b < n" in capsys.readouterr().err


def test_other_settings_for_the_same_folder_are_refused(tmp_path, finished, capsys):
    folder = tmp_path / "twice"
    assert main([str(FRENCH), "--language", "fr", "--output", str(folder), "--workers", "1"]) == 0
    assert main([str(FRENCH), "--language", "fr", "--output", str(folder), "--max_graphemes", "50"]) == 2
    assert "max_graphemes (64 -> 50)" in capsys.readouterr().err
    other = tmp_path / FRENCH.name
    other.write_bytes(FRENCH.read_bytes() + b"Encore une.\n")
    assert main([str(other), "--language", "fr", "--output", str(folder)]) == 2
    assert "input text" in capsys.readouterr().err


def test_what_people_look_at(tmp_path, finished):
    page = finished["corpus.html"].decode()
    assert "<script" not in page and "http" not in page.replace("https://github", "").split("Sources")[0]
    assert "duplicate" in page and "SOURCES" not in page
    assert finished["SOURCES.md"].decode().count("not stated") == 4 and "generated" in finished["SOURCES.md"].decode()
    rows = [row.split("\t") for row in finished["characters.tsv"].decode().splitlines()[1:]]
    text = "".join(finished["lines.txt"].decode().split("\n"))
    assert sum(int(row[2]) for row in rows) == len(graphemes(text))
    drops = [json.loads(row) for row in finished["drops.jsonl"].decode().splitlines()]
    manifest = json.loads(finished["manifest.json"])
    assert Counter(drop["reason"] for drop in drops) == manifest["drops"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--language", "fr"], "no sources"),
        ([str(FRENCH)], "its language is not known"),
        ([str(FRENCH), "--language", "xx"], "no language called 'xx'"),
        (["missing.txt", "--language", "fr"], "missing.txt: no such file"),
        ([str(FRENCH), "--language", "fr", "--min_graphemes", "70"], "min_graphemes"),
        ([str(FRENCH), "--language", "fr", "--mix.whole", "0"], "shares of mix"),
        ([str(FRENCH), "--language", "fr", "--filters.fonts", "[nofont.ttf]"], "nofont.ttf: no such file"),
        ([str(FRENCH), "--language", "ar", "--filters.script_share", "0.9"], "no line is left"),
        (['--sources={"a": {"source": "txt"}}', "--language", "fr"], "no source called 'txt'; did you mean 'text'?"),
    ],
)
def test_bad_input_is_named(tmp_path, capsys, words, part):
    assert main([*words, "--output", str(tmp_path / "out"), "--workers", "1"]) == 2
    assert part in capsys.readouterr().err
    assert not (tmp_path / "out/manifest.json").exists()


def test_near_duplicates_of_the_manifest_are_counted(tmp_path):
    manifest, _ = make(
        tmp_path, ["Il fait beau ici.", "Il fait beau ici!"], filters=FilterSettings(near_duplicates=0.9)
    )
    assert manifest.drops == {"near_duplicate": 1}
    assert read_manifest(str(tmp_path / "out")).counts["lines"] == 1
