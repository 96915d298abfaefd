"""Error rates against hand-computed cases, a brute-force distance and jiwer."""

import itertools

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphline.evaluation.metrics import (
    Measure,
    compare,
    count_errors,
    distance,
    jamo,
    summarise,
    without_space,
    words,
)
from glyphline.text import TextRules

# reference, reading, edits and length of: graphemes, words, graphemes without space
HAND = [
    ("kitten", "sitting", (3, 6), (1, 1), (3, 6)),
    ("a b", "ab", (1, 3), (2, 2), (0, 2)),
    ("", "", (0, 0), (0, 0), (0, 0)),
    ("", "ab", (2, 0), (1, 0), (2, 0)),
    ("abc", "", (3, 3), (1, 1), (3, 3)),
    ("the cat sat", "the hat sat on", (1 + 3, 11), (1 + 1, 3), (3, 9)),
    ("café", "cafe\u0301", (0, 4), (0, 1), (0, 4)),  # NFC and NFD are one text
    ("क्षि", "क्ष", (1, 1), (1, 1), (1, 1)),  # one grapheme of four code points
    ("👩‍👩‍👧 ok", "👩 ok", (1, 4), (1, 2), (1, 3)),
    ("  two   spaces ", "two spaces", (0, 10), (0, 2), (0, 9)),
]


@pytest.mark.parametrize(("reference", "reading", "characters", "by_word", "spaceless"), HAND)
def test_counts_by_hand(reference, reading, characters, by_word, spaceless):
    line = count_errors(reference, reading)
    for name, (edits, length) in {"cer": characters, "wer": by_word, "cer_no_space": spaceless}.items():
        assert (line.edits[name], line.lengths[name]) == (edits, length), name
    assert line.exact == (characters[0] == 0)
    assert "cer_jamo" not in line.edits


def test_rates_are_summed_over_the_corpus_not_averaged():
    lines = [count_errors("ab", "xx"), count_errors("abcdefgh", "abcdefgh")]
    result = summarise(lines, resamples=0)
    assert result["cer"] == Measure(0.2, 2.0, 10.0, None, None)  # the mean of line rates would be 0.5
    assert result["exact"].value == 0.5
    assert result["normalised_distance"].value == 0.5


def test_rate_without_reference():
    assert summarise([count_errors("", "")], resamples=0)["cer"].value == 0.0
    assert summarise([count_errors("", "x")], resamples=10)["cer"] == Measure(1.0, 1.0, 0.0, 1.0, 1.0)
    assert summarise([]) == {}


def test_jamo_count_smaller_units_than_syllables():
    assert jamo("각 a") == ["ᄀ", "ᅡ", "ᆨ", " ", "a"]
    assert jamo("ㅋㅋ") == ["ㅋ", "ㅋ"]
    line = count_errors("한국 A", "한굴 A")
    assert (line.edits["cer"], line.lengths["cer"]) == (1, 4)
    assert (line.edits["cer_jamo"], line.lengths["cer_jamo"]) == (1, 3 + 3 + 2)
    # Half a syllable right counts for something in jamo, for nothing in syllables.
    mixed = summarise([line, count_errors("ab", "ab")], resamples=0)
    assert mixed["cer_jamo"].value == pytest.approx(1 / 10)
    assert mixed["cer"].value == pytest.approx(1 / 6)


def test_rules_go_to_both_sides():
    rules = TextRules(form="NFKC", replace={"¬": "-"})
    assert count_errors("２ kilo¬", "2 kilo-", rules).exact
    assert not count_errors("２ kilo¬", "2 kilo-").exact


def brute_force(a, b):
    """The textbook table."""
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    table[:, 0], table[0, :] = range(len(a) + 1), range(len(b) + 1)
    for i, j in itertools.product(range(1, len(a) + 1), range(1, len(b) + 1)):
        table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
    return table[-1, -1]


@settings(max_examples=60, deadline=None)
@given(st.text("ab 한é", max_size=9), st.text("ab 한é", max_size=9))
def test_distance_is_the_textbook_one(a, b):
    assert distance(list(a), list(b)) == brute_force(a, b)


TEXT = st.text("abcde ", min_size=1, max_size=20).filter(lambda text: text.strip())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_corpus_rates_equal_jiwer(pairs):
    pairs = [(" ".join(a.split()), " ".join(b.split())) for a, b in pairs]
    references, readings = [a for a, _ in pairs], [b for _, b in pairs]
    result = summarise([count_errors(a, b) for a, b in pairs], resamples=0)
    assert result["cer"].value == pytest.approx(jiwer.cer(references, readings))
    assert result["wer"].value == pytest.approx(jiwer.wer(references, readings))


def test_tokenisation_is_white_space_alone():
    assert words("l'homme, dit-il .") == ["l'homme,", "dit-il", "."]
    assert without_space("a b\u3000c") == ["a", "b", "c"]


def test_intervals_are_seeded_ordered_and_cover():
    generator = np.random.default_rng(0)
    lines = [count_errors("abcdefghij", "x" * k + "abcdefghij"[k:]) for k in generator.integers(0, 4, 200)]
    once, again = summarise(lines, seed=3), summarise(lines, seed=3)
    assert once == again
    assert summarise(lines, seed=4)["cer"].low != once["cer"].low
    assert once["cer"].low < once["cer"].value < once["cer"].high
    # Against the normal approximation of the mean's error.
    errors = np.array([line.edits["cer"] / 10 for line in lines])
    assert once["cer"].high - once["cer"].low == pytest.approx(2 * 1.96 * errors.std() / np.sqrt(200), rel=0.15)


def test_resampling_writers_widens_the_interval():
    lines = [count_errors("abcd", "abcd" if writer % 2 else "xxxx") for writer in range(8) for _ in range(25)]
    groups = [f"writer {writer}" for writer in range(8) for _ in range(25)]
    by_line, by_group = summarise(lines)["cer"], summarise(lines, groups=groups)["cer"]
    assert by_group.high - by_group.low > 3 * (by_line.high - by_line.low)


def test_blocks_change_nothing(monkeypatch):
    from glyphline.evaluation import metrics

    lines = [count_errors("abcd", "abxd" if k % 3 else "abcd") for k in range(50)]
    whole = np.concatenate(list(metrics._weights(50, (), 300, 0)), axis=1)
    assert whole.shape == (50, 300)
    assert (whole.sum(axis=0) == 50).all()
    assert summarise(lines, resamples=300)["cer"].low <= summarise(lines, resamples=300)["cer"].value


def test_paired_comparison():
    reference = [f"line number {k}" for k in range(80)]
    poor = [count_errors(text, "x" + text[1:]) for text in reference]
    good = [count_errors(text, text if k % 4 else "x" + text[1:]) for k, text in enumerate(reference)]
    result = compare(poor, good)
    assert result.difference < 0
    assert result.high < 0
    assert result.p_value == 0.0
    same = compare(good, good)
    assert (same.difference, same.p_value) == (0.0, 1.0)
    with pytest.raises(ValueError, match="same references"):
        compare(poor, [count_errors("other", "x")] * 80)
    with pytest.raises(ValueError, match="80 and 79"):
        compare(poor, good[:-1])
