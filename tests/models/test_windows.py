"""Wide lines: every pixel is in a window, cuts fall between letters, and what was cut is put together again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphline.models.canvas import Canvas
from glyphline.models.windows import TOLERANCE, Window, blank_runs, join, merge, split_wide
from glyphline.records import Reading

CANVAS = Canvas("line", 32, 320, 32)


def line_of(words, height=64, paper=250, ink=20, letter=40, gap=6, space=30):
    """Boxes for letters; returns the picture and the columns at which words end."""
    columns, ends = [np.full((height, 20), paper)], []
    for letters in words:
        for _ in range(letters):
            box = np.full((height, letter), paper)
            box[12:52] = ink
            box[20:44, 8:32] = paper
            columns += [box, np.full((height, gap), paper)]
        columns.append(np.full((height, space), paper))
        ends.append(sum(column.shape[1] for column in columns))
    return np.concatenate(columns, 1).astype(np.uint8), ends


@pytest.mark.parametrize(("paper", "ink"), [(250, 20), (15, 240)])
def test_cuts_fall_between_words(paper, ink):
    image, ends = line_of([3, 4, 2, 5, 3, 4], paper=paper, ink=ink)
    windows = split_wide(image, CANVAS)
    assert len(windows) > 1
    assert np.array_equal(np.concatenate([window.image for window in windows], 1), image)
    assert all(window.image.shape[1] <= 640 * TOLERANCE for window in windows)
    assert [window.joint for window in windows[1:]] == [" "] * (len(windows) - 1)
    cuts = np.cumsum([window.image.shape[1] for window in windows])[:-1]
    assert all(min(abs(cut - end) for end in ends) < 36 for cut in cuts)


def test_cuts_inside_a_word_join_without_a_space():
    image, _ = line_of([40])
    assert {window.joint for window in split_wide(image, CANVAS)[1:]} == {""}


def test_lines_without_a_gap_overlap():
    image = np.full((64, 2000), 250, np.uint8)
    image[50:54] = 20  # underlined from end to end
    windows = split_wide(image, CANVAS)
    assert [window.joint for window in windows[1:]] == [None] * (len(windows) - 1)
    assert sum(window.image.shape[1] for window in windows) == 2000 + 128 * (len(windows) - 1)


def test_what_fits_is_left_alone():
    image, _ = line_of([3])
    assert split_wide(image, CANVAS)[0].image is image
    wide = np.full((10, 4000), 255, np.uint8)
    assert len(split_wide(wide, Canvas("squash", 32, 32))) == 1


@given(st.lists(st.booleans(), min_size=1, max_size=40))
@settings(deadline=None, max_examples=60)
def test_blank_runs_by_brute_force(columns):
    image = np.full((9, 3 * len(columns)), 255, np.uint8)
    for place, inked in enumerate(columns):
        if inked:
            image[4, 3 * place : 3 * place + 3] = 0
    found = np.zeros(image.shape[1], bool)
    for begin, end in blank_runs(image):
        assert not found[begin:end].any()
        found[begin:end] = True
    if any(columns):
        assert np.array_equal(found, (image == 255).all(0))


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("오늘 날씨가 참", "씨가 참 좋네요", "오늘 날씨가 참 좋네요"),
        ("오늘 날씨가 찬", "씨가 참 좋네요", "오늘 날씨가 참 좋네요"),
        ("abcdefgh", "?efghij", "abcdefghij"),
        ("one", "two", "onetwo"),
        ("", "two", "two"),
    ],
)
def test_overlapping_texts_are_merged(first, second, whole):
    assert merge(first, second) == whole


def test_join_weighs_confidence_by_length():
    readings = [Reading("가나다", 0.5, "ctc"), Reading("라", 1.0, "ctc"), Reading("", 0.5, "ctc")]
    joined = join(readings, ["", " ", " "])
    assert joined.text == "가나다 라"
    assert joined.confidence == pytest.approx(0.5 ** (4 / 5))
    assert join([Reading("가", 1.0, "ctc"), Reading("나", 1.0, "decoder")], ["", ""]).mode == "auto"
    assert Window(np.zeros((1, 1), np.uint8)).joint == ""


def test_a_wide_line_reads_as_its_pieces():
    from tiny import tiny_recogniser

    recogniser = tiny_recogniser(canvas=Canvas("line", 32, 160, 32))
    image, _ = line_of([2, 2, 2, 2, 2, 2])
    windows = split_wide(image, recogniser.card.canvas)
    pieces = recogniser.read([window.image for window in windows], "ctc")
    whole = recogniser.read([image, image[:, :100]], "ctc")
    assert whole[0].text == " ".join(piece.text for piece in pieces if piece.text)
    assert whole[1] == recogniser.read([image[:, :100]], "ctc")[0]
