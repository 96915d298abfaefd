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
