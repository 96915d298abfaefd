"""The n-gram model against its definition, computed with dictionaries."""

from collections import Counter

import numpy as np
import pytest

from glyphline.models.ngram import END, NGrams, load_ngrams


def definition(rows, text, symbols, order):
    """Witten and Bell's interpolation, order by order."""
    grams = [Counter() for _ in range(order)]
    for row in rows:
        padded = [END] * (order - 1) + list(row) + [END]
        for place in range(order - 1, len(padded)):
            for number in range(order):
                grams[number][tuple(padded[place - number : place + 1])] += 1
    context = ([END] * (order - 1) + list(text))[len(text) :]
    probabilities = np.full(symbols, 1 / symbols)
    for number in range(order):
        before = tuple(context[len(context) - number :]) if number else ()
        counts = np.array([grams[number][(*before, symbol)] for symbol in range(symbols)])
        kinds, total = (counts > 0).sum(), counts.sum()
        if total:
            probabilities = (counts + kinds * probabilities) / (total + kinds)
    return probabilities


ROWS = [[1, 2, 3], [1, 2, 2], [], [4], [1, 2, 3, 3, 1, 2], [3, 1]]
CONTEXTS = [(), (1,), (1, 2), (4, 4), (2, 3, 3), (1, 2, 3, 3, 1), (5, 1, 2)]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_equals_the_definition(order):
    model = NGrams(7, order)
    model.learn(ROWS)
    for context in CONTEXTS:
        probabilities = np.exp(model(context))
        assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
        np.testing.assert_allclose(probabilities, definition(ROWS, context, 7, order), rtol=1e-5)


def test_texts_add_up_in_any_order_and_survive_the_file(tmp_path):
    whole, parts = NGrams(7, 4), NGrams(7, 4)
    whole.learn(ROWS)
    parts.learn(ROWS[3:])
    parts.learn(ROWS[:3])
    parts.save(tmp_path / "language.safetensors")
    again = load_ngrams(tmp_path / "language.safetensors")
    for context in CONTEXTS:
        np.testing.assert_array_equal(whole(context), parts(context))
        np.testing.assert_array_equal(whole(context), again(context))


def test_more_symbols_leave_the_counts_as_they_are():
    model, wide = NGrams(7, 3), NGrams(100, 3)
    model.learn(ROWS)
    wide.learn(ROWS)
    model.widen(100)
    for context in CONTEXTS:
        np.testing.assert_array_equal(model(context), wide(context))


def test_an_order_that_does_not_fit_its_keys_is_lowered():
    assert NGrams(30000, 6).order == 4
    assert NGrams(2000, 5).order == 5


def test_a_known_word_is_likelier_than_another():
    model = NGrams(7, 4)
    model.learn(ROWS)
    assert model((1,))[2] > model((1,))[3]


def test_a_text_is_as_likely_as_its_symbols_one_by_one():
    model = NGrams(7, 4)
    model.learn(ROWS)
    by_hand = model(())[1] + model((1,))[2] + model((1, 2))[0]
    assert model.log_probability([1, 2]) == pytest.approx(by_hand)


def test_keys_of_many_bits_survive_the_file(tmp_path):
    model = NGrams(30000, 4)
    model.learn([[29999, 29998, 29997, 1, 29999]] * 3)
    model.save(tmp_path / "language.safetensors")
    again = load_ngrams(tmp_path / "language.safetensors")
    for keys, others in zip(model.keys, again.keys, strict=True):
        np.testing.assert_array_equal(keys, others)


def test_the_rarest_long_sequences_go_first():
    model = NGrams(7, 4)
    model.learn([[1, 2, 3, 4]] * 5 + [[1, 3, 5, 6]] * 2 + [[4, 4, 4, 4]])
    short = [keys.copy() for keys in model.keys[:2]]
    before = model((1, 2))[3]
    model.prune(40)
    assert sum(map(len, model.keys)) <= 40
    assert all(counts.min() > 1 for counts in model.counts[2:])
    for keys, others in zip(short, model.keys, strict=False):
        np.testing.assert_array_equal(keys, others)
    assert model((1, 2))[3] == pytest.approx(before)
    assert np.exp(model((4, 4))).sum() == pytest.approx(1.0, abs=1e-5)
    model.prune(1)  # what is left are the short ones
    assert not any(len(keys) for keys in model.keys[2:])
