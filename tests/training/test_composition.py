"""Composed lines: words of several real lines, every letter's ink and its label together, of one split alone."""

import numpy as np
import pytest
from lines import LETTERS, bar_code, texts, write_lines

from glyphline.settings import InputError
from glyphline.training.composition import compose, draw_span, runs_leftwards, word_cuts
from glyphline.training.data import StoredLines, check_lengths
from glyphline.training.settings import TrainSource


def sentence(words, letters=LETTERS, paper=250):
    """Words as bar codes, a wide gap between them; in right-to-left scripts the first word stands at the right."""
    ordered = words[::-1] if runs_leftwards("".join(words)) else words
    pictures = []
    for word in ordered:
        image = np.full((32, 16 * len(word)), paper, np.uint8)
        for place, letter in enumerate(word):
            top = 3 + 5 * letters.index(letter)
            image[top : top + 5, 16 * place + 2 : 16 * place + 14] = 20
        pictures += [image, np.full((32, 14), paper, np.uint8)]
    return np.concatenate(pictures[:-1], 1)


def read(image, letters=LETTERS):
    """Read a bar code back, words parted by wide gaps: the oracle."""
    from glyphline.models.windows import blank_runs

    inked = (image < 128).any(0)
    columns = np.flatnonzero(inked)
    gaps = {begin for begin, end in blank_runs(image) if end - begin > 5 and begin > columns[0] and end <= columns[-1]}
    text, column = "", 0
    while column < image.shape[1]:
        if column in gaps:
            text += " "
        if inked[column]:
            top = int(np.flatnonzero(image[:, column] < 128)[0])
            text += letters[(top - 3) // 5]
            column += 12
        else:
            column += 1
    return text


def test_the_oracle_reads():
    assert read(sentence(["가나", "다라마", "가"])) == "가나 다라마 가"


@pytest.mark.parametrize("seed", range(30))
def test_what_is_composed_says_what_its_label_says(seed):
    generator = np.random.default_rng(seed)
    lines = [["".join(generator.choice(list(LETTERS), generator.integers(1, 4))) for _ in range(4)] for _ in range(3)]
    image, text = compose([sentence(words) for words in lines], [" ".join(words) for words in lines], generator)
    assert read(image) == text
    assert 3 <= len(text.split()) <= 12


def test_spans_are_drawn_everywhere():
    words = ["가", "나", "다"]
    drawn = {draw_span(sentence(words), "가 나 다", np.random.default_rng(seed))[1] for seed in range(60)}
    assert drawn == {"가", "나", "다", "가 나", "나 다", "가 나 다"}


def test_lines_from_right_to_left_stay_so():
    letters, words = "אבגדה", ["אב", "ג", "דה"]
    image = sentence(words, letters)
    for seed in range(20):
        span, text = draw_span(image, " ".join(words), np.random.default_rng(seed))
        assert read(span, letters).split() == text.split()[::-1]
    joined, text = compose([image, image], [" ".join(words)] * 2, np.random.default_rng(3))
    assert read(joined, letters).split() == text.split()[::-1]
    mixed = compose([image, sentence(["가"])], [" ".join(words), "가"], np.random.default_rng(3))
    assert "가" not in mixed[1]


def test_words_that_cannot_be_told_apart_stay_together():
    image = sentence(["가나다라"])
    assert word_cuts(image, ["가나", "다라"]) == []
    assert len(word_cuts(sentence(["가나", "다라"]), ["가나", "다라"])) == 1
    assert word_cuts(sentence(["가나다라마", "가"]), ["가", "나다라마가"]) == []
    assert draw_span(image, "가나 다라", np.random.default_rng(1))[1] == "가나 다라"


def test_heights_and_colours_are_brought_together():
    small, large = sentence(["가"]), np.repeat(sentence(["나"]), 2, 0)
    colour = np.repeat(large[:, :, None], 3, 2)
    image, text = compose([small, colour], ["가", "나"], np.random.default_rng(1))
    assert image.shape[0] == 32
    assert image.ndim == 3
    assert text == "가 나"


def test_items_are_composed_from_their_own_split_and_within_the_limit(tmp_path):
    folder = write_lines(tmp_path / "lines")
    source = StoredLines(folder, "train", 1, compose=0.7)
    check_lengths([source], lambda rows: [len(row) + 1 for row in rows], 9)
    known = set(texts(40, 1))
    made = [source.item(position) for position in range(80)]
    assert made[7][1] == source.item(7)[1]
    assert np.array_equal(made[7][0], source.item(7)[0])
    composed = [text for _, text in made if " " in text]
    assert 15 < len(composed) < 70
    assert all(len(text) + 1 <= 9 and set(text.split()) <= known for text in composed)
    plain = StoredLines(folder, "train", 1)
    assert all(" " not in plain.item(position)[1] for position in range(80))


def test_only_stored_lines_are_composed():
    with pytest.raises(InputError, match="compose"):
        TrainSource(corpus="x", compose=0.5)
    assert bar_code("가").shape == (32, 24)
