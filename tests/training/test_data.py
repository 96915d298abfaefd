"""Training items: each depends on its number alone, every line comes once a pass, batches hold like widths."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from lines import bar_code, texts, write_lines

from glyphline.models.canvas import Canvas, Preprocessor
from glyphline.records import TextLine
from glyphline.settings import InputError
from glyphline.text import graphemes
from glyphline.training.data import (
    BucketBatches,
    Collator,
    LineItems,
    StoredLines,
    check_lengths,
    open_source,
    open_validation,
)
from glyphline.training.pieces import Pieces
from glyphline.training.settings import TrainSource, ValidationSource


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_lines(tmp_path_factory.mktemp("data") / "lines")


class Numbers:
    """A source whose item is its position."""

    def __init__(self, length: int) -> None:
        self.length, self.facts = length, {}

    def __len__(self) -> int:
        return self.length

    def aspect(self, position: int) -> float:
        return 1 + position % self.length

    def item(self, position: int):
        return np.zeros((4, 4), np.uint8), str(position)


def items_of(sources, total, *plans):
    plans = plans or ({},) * len(sources)
    return LineItems([(s, TrainSource(lines="x", **plan)) for s, plan in zip(sources, plans, strict=True)], total, 1)


def test_every_pass_holds_every_line_once_in_a_new_order(folder):
    source = StoredLines(folder, "train", seed=3)
    passes = [[source.item(40 * turn + i)[1] for i in range(40)] for turn in range(3)]
    assert all(Counter(turn) == Counter(texts(40, 1)) for turn in passes)
    assert passes[0] != passes[1] != passes[2]


def test_items_are_the_same_whenever_and_wherever_they_are_made(folder):
    source = StoredLines(folder, "train", seed=3)
    copy = pickle.loads(pickle.dumps(source))
    for position in (77, 3, 39, 40, 3):
        image, text = source.item(position)
        again, same = copy.item(position)
        assert text == same
        np.testing.assert_array_equal(image, again)


def test_stored_pictures_come_back_bit_for_bit(folder):
    source = StoredLines(folder, "train", seed=3)
    number = source.order(5)
    np.testing.assert_array_equal(source.item(5)[0], bar_code(texts(40, 1)[number], 20 + number))


def test_sources_come_by_weight_and_each_in_its_own_order():
    items = items_of([Numbers(5), Numbers(7)], 4000, {"weight": 3.0}, {"weight": 1.0})
    shares = Counter(items.choice.tolist())
    assert shares[0] / 4000 == pytest.approx(0.75, abs=0.03)
    for number in (0, 1):
        positions = [int(items[i][1]) for i in range(4000) if items.choice[i] == number]
        assert positions == list(range(len(positions)))


def test_a_curriculum_uses_each_source_in_its_share_of_the_run():
    plans = ({"end": 0.25}, {"begin": 0.25, "weight": 2.0}, {"begin": 0.5})
    items = items_of([Numbers(5), Numbers(7), Numbers(9)], 1000, *plans)
    assert set(items.choice[:250]) == {0}
    assert set(items.choice[250:500]) == {1}
    assert np.mean(items.choice[500:] == 1) == pytest.approx(2 / 3, abs=0.06)
    assert set(items.choice[500:]) == {1, 2}
    with pytest.raises(InputError, match="no source is used between 25% and 50%"):
        items_of([Numbers(5), Numbers(7)], 1000, {"end": 0.25}, {"begin": 0.5})


def test_longest_leaves_long_lines_out(folder):
    source = open_source(TrainSource(lines=folder, longest=3), 1)
    assert sorted(source.texts()) == sorted(text for text in texts(40, 1) if len(text) <= 3)


def test_rarest_leaves_lines_with_rare_characters_out(folder):
    everything = texts(40, 1)
    lines = {character: sum(character in text for text in everything) for character in "".join(everything)}
    least = min(lines.values()) + 1
    expected = sorted(text for text in everything if all(lines[character] >= least for character in text))
    assert 0 < len(expected) < len(everything)
    assert sorted(open_source(TrainSource(lines=folder, rarest=least), 1).texts()) == expected
    with pytest.raises(InputError, match="no line is left by rarest: 1000"):
        open_source(TrainSource(lines=folder, rarest=1000), 1)


def test_pieces_are_parts_of_their_lines_and_reach_every_letter():
    lines = [TextLine("7", "오늘은 é́ 비가  온다", "ko", "s", "train"), TextLine("8", "가", "ko", "s", "train")]
    pieces = Pieces(lines, 3, seed=4)
    assert len(pieces) == 64 * 2
    for number in range(len(pieces)):
        piece = pieces[number]
        assert piece.text in lines[number % 2].text and piece.text == piece.text.strip()
        assert 1 <= len(graphemes(piece.text)) <= 3
        assert piece == pieces[number]
    seen = {letter for number in range(128) for letter in graphemes(pieces[number].text)}
    assert seen >= set(graphemes("오늘은é́비가온다"))


def test_a_source_of_pieces_keeps_long_lines_and_tells_whole_ones(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("가나다라마바사아자차카타파하\n가나\n", encoding="utf-8")
    source = open_source(TrainSource(corpus=str(path), pieces=2), 1)
    assert len(source) == 2 and list(source.texts()) == ["가나다라마바사아자차카타파하", "가나"]
    assert check_lengths([source], lambda texts: [len(text) for text in texts], 5) == []
    assert len(source) == 2
    assert all(len(source.rendered.text_of(position).text) <= 2 for position in range(20))


def test_pieces_are_for_corpora():
    with pytest.raises(InputError, match="pieces: only for `corpus`"):
        TrainSource(lines="x", pieces=2)


@pytest.mark.parametrize("total", [1, 7, 64, 203])
def test_batches_hold_every_item_once(total):
    items = items_of([Numbers(50)], total)
    batches = list(BucketBatches(items, 8, window=3, seed=1))
    assert sorted(index for batch in batches for index in batch) == list(range(total))
    assert len(batches) == len(BucketBatches(items, 8, window=3, seed=1))
    assert batches == list(BucketBatches(items, 8, window=3, seed=1))
    assert batches != list(BucketBatches(items, 8, window=3, seed=2)) or total <= 8


def test_steps_hold_the_same_lines_however_they_are_divided():
    items = items_of([Numbers(50)], 192)
    whole = list(BucketBatches(items, 16, window=3, seed=1))
    quarters = list(BucketBatches(items, 4, window=3, seed=1, parts=4))
    assert [sum(quarters[i : i + 4], []) for i in range(0, 48, 4)] == whole


def test_buckets_waste_little_padding(folder):
    items = items_of([StoredLines(folder, "train", 1)], 400)

    def waste(batches) -> float:
        used = padded = 0
        for batch in batches:
            widths = [items[index][0].shape[1] for index in batch]
            used, padded = used + sum(widths), padded + max(widths) * len(widths)
        return 1 - used / padded

    assert waste(BucketBatches(items, 8, window=16, seed=1)) < 0.15
    assert waste(BucketBatches(items, 8, window=1, seed=1)) > 0.25


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    demo = Path(__file__).parents[2] / "demo"
    rows = (demo / "text" / "ko.chatbot.txt").read_text(encoding="utf-8").splitlines()
    corpus = tmp_path_factory.mktemp("corpus") / "lines.txt"
    corpus.write_text("\n".join(rows[:200]), encoding="utf-8")
    return open_source(TrainSource(corpus=str(corpus), preset="clean", fonts=[str(demo / "fonts")]), 1)


def test_aspects_are_known_before_pictures(folder, rendered):
    stored = StoredLines(folder, "train", seed=3)
    for position in range(45):
        image, _ = stored.item(position)
        assert stored.aspect(position) == pytest.approx(image.shape[1] / image.shape[0])
    found = [(rendered.aspect(i), rendered.item(i)) for i in range(40)]
    ratios = [aspect * item[0].shape[0] / item[0].shape[1] for aspect, item in found if item]
    assert 0.7 < np.median(ratios) < 1.2
    assert np.std(np.log(ratios)) < 0.25


def test_real_lines_waste_little_padding(rendered):
    """Lines of all lengths in several fonts, with effects that change their widths."""
    items, preprocessor = items_of([rendered], 512), Preprocessor(Canvas("line", 32, 1024, 32))
    used = padded = 0
    for batch in BucketBatches(items, 8, window=64, seed=1):
        widths = [preprocessor.fit(item[0]).shape[1] for item in map(items.__getitem__, batch) if item]
        used, padded = used + sum(widths), padded + preprocessor.padded_width(max(widths)) * len(widths)
        assert len(widths) > 3
    assert 1 - used / padded < 0.15


def test_collator_makes_what_the_preprocessor_makes(folder):
    preprocessor = Preprocessor(Canvas("line", 32, 128, 32))
    source = StoredLines(folder, "train", seed=3)
    items = [source.item(0), None, source.item(1)]
    batch = Collator(preprocessor, lambda given: {"texts": given})(items)
    assert batch["texts"] == [items[0][1], items[2][1]]
    expected = preprocessor.stack([preprocessor.fit(items[0][0]), preprocessor.fit(items[2][0])])
    assert (batch["pixel_values"] == expected).all()
    with pytest.raises(InputError, match="no font can write"):
        Collator(preprocessor, dict)([None, None])


def test_labels_over_the_limit_are_reported_and_left_out(folder):
    source = StoredLines(folder, "train", seed=3)
    over = check_lengths([source], lambda given: [len(text) for text in given], limit=4)
    assert sorted(over) == sorted(text for text in texts(40, 1) if len(text) > 4)
    assert len(source) == 40 - len(over)
    assert all(len(source.item(i)[1]) <= 4 for i in range(len(source)))
    with pytest.raises(InputError, match="every line is over max_length 0"):
        check_lengths([source], lambda given: [len(text) for text in given], limit=0)


def test_validation_is_a_fixed_draw(folder):
    few = open_validation(ValidationSource(folder, limit=4), seed=1)
    assert [s.id for s in few] == [s.id for s in open_validation(ValidationSource(folder, limit=4), seed=1)]
    assert len(open_validation(ValidationSource(folder, limit=0), seed=1)) == 10


def test_missing_splits_and_folders_are_errors(folder, tmp_path):
    with pytest.raises(InputError, match="no lines of split 'test'"):
        open_source(TrainSource(lines=folder, split="test"), 1)
    with pytest.raises(InputError, match="no such folder"):
        open_source(TrainSource(lines=str(tmp_path / "none")), 1)
    with pytest.raises(InputError, match="neither a corpus nor a UTF-8 text file"):
        open_source(TrainSource(corpus=str(tmp_path / "none.txt")), 1)
    with pytest.raises(InputError, match="either `lines`"):
        TrainSource(lines=folder, corpus=folder)
