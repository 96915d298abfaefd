"""Scoring samples with a reader: order, counts, shares of processes, break-downs."""

import numpy as np
import pytest
from fake_reader import FakeReader, sample

from glyphline import distributed
from glyphline.evaluation import scores
from glyphline.evaluation.metrics import count_errors
from glyphline.evaluation.scores import LineResult, confusions, length_bucket, score_samples, script_of

TEXTS = ["le chat", "un chien", "abc", "12 345", "été"]


def result(reference, prediction=""):
    return LineResult("x", reference, prediction, 1.0, "fr", "s", "g", count_errors(reference, prediction))


def test_lines_keep_their_order_over_chunks():
    reader = FakeReader(TEXTS)
    score = score_samples(reader, [sample(k, text) for k, text in enumerate(TEXTS)], "decoder", chunk=2)
    assert [line.id for line in score.lines] == [f"s{k}" for k in range(5)]
    assert reader.calls == [2, 2, 1]
    assert (score.cer, score.wer, score.exact) == (0.0, 0.0, 1.0)


def test_errors_are_those_of_the_texts():
    score = score_samples(FakeReader(TEXTS), (sample(k, text) for k, text in enumerate(TEXTS)), "ctc")
    assert score.cer == pytest.approx(5 / sum(len(text) for text in TEXTS))
    assert score.exact == 0.0
    assert {line.group for line in score.lines} == {"w0", "w1", "w2"}


@pytest.mark.parametrize("size", [2, 3])
def test_processes_together_count_each_line_once(monkeypatch, size):
    """Each process reads its share; the gathered result equals the one of a single process."""
    samples = [sample(k, text) for k, text in enumerate(TEXTS)]
    alone = score_samples(FakeReader(TEXTS), samples, "ctc")
    monkeypatch.setattr(distributed, "world_size", lambda: size)
    shares = []
    for rank in range(size):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        monkeypatch.setattr(distributed, "gather", lambda items: shares.append(items) or items)
        score_samples(FakeReader(TEXTS), samples, "ctc")
    monkeypatch.setattr(distributed, "gather", lambda items: [item for share in shares for item in share])
    assert score_samples(FakeReader(TEXTS), samples, "ctc") == alone
    assert sum(len(share) for share in shares) == len(TEXTS)


def test_padded_shares_count_a_line_once():
    samples = [sample(0, "a"), sample(1, "b"), sample(0, "a")]
    assert [line.id for line in score_samples(FakeReader("ab"), samples, sharded=True).lines] == ["s0", "s1"]


def test_buckets_and_scripts():
    names = [length_bucket(result("x" * n)) for n in (0, 5, 6, 10, 11, 80, 81)]
    assert names == ["00-05", "00-05", "06-10", "06-10", "11-20", "41-80", "81 and more"]
    assert length_bucket(result("한국어")) == "00-05"
    assert [script_of(result(t)) for t in ("été", "한국 A", "12 €", "Ἀθῆναι", "рус", "漢字")] == [
        "Latin",
        "Hangul",
        "Common",
        "Greek",
        "Cyrillic",
        "Han",
    ]


def test_confusions_name_both_sides():
    lines = [result("abc", "xbc"), result("abd", "xbde"), result("ab", "b")]
    assert confusions(lines) == [("a", "x", 2), ("", "e", 1), ("a", "", 1)]


def test_split_is_by_key_and_complete():
    score = scores.Score("m", [result("a", "a"), result("abcdefg", "a")])
    parts = score.split(length_bucket)
    assert {name: part.exact for name, part in parts.items()} == {"00-05": 1.0, "06-10": 0.0}
    assert np.isclose(parts["06-10"].cer, 6 / 7)
