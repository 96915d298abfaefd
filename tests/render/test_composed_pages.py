"""Pages: a pure function of seed and index, whose text is that of the lines that stand on them."""

import pickle

import numpy as np
import pytest

from glyphline.__main__ import main
from glyphline.manifest import read_lines, read_manifest
from glyphline.records import Drop, Sample, TextLine
from glyphline.render.line import RenderedLines, load_recipe
from glyphline.render.pages import ComposedPages, PageSettings, compose, wrapped
from glyphline.seeds import rng
from glyphline.settings import InputError

WORDS = ["one two three four", "five six seven", "eight nine", "ten eleven twelve thirteen"]


class Bars:
    """Lines that are black bars, one 8 px wider than the last, on paper of their own grey."""

    seed = 1

    def __len__(self):
        return 40

    def text_of(self, index):
        return TextLine(str(index), f"line {index % 40}", "en", "bars", "train")

    def together(self, indices, one_hand):
        return [self.line(index) for index in indices]

    def line(self, index):
        if index % 40 == 13:
            return Drop("no_font", str(index))
        image = np.full((20, 30 + 8 * (index % 5)), 180 + index % 40, np.uint8)
        image[8:12, 4:-4] = 0
        return Sample(str(index), image, self.text_of(index).text, "en", "bars", "train", {"index": index})


def bars(**settings):
    return ComposedPages(Bars(), PageSettings(**settings), 1)


def rows_of_ink(page):
    """Return the runs of rows that hold ink, top to bottom."""
    dark = (page < 0.3 * np.median(page)).any(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], dark, [False]]).astype(int)))
    return edges.reshape(-1, 2)


def test_a_page_is_a_function_of_seed_and_index():
    first, again = bars(most=6), pickle.loads(pickle.dumps(bars(most=6)))
    other = ComposedPages(Bars(), PageSettings(most=6), 2)
    assert all((first[i].image == again[i].image).all() and first[i].text == again[i].text for i in (5, 2, 0, 5))
    assert any(first[i].image.shape != other[i].image.shape for i in range(5))


def test_every_line_of_the_text_is_on_the_page_in_its_order():
    pages = bars(least=2, most=6, leading=(0.1, 0.4), ruled=0.0, margin=(0.1, 1.0))
    for index in range(20):
        sample = pages[index]
        lines = sample.text.split("\n")
        runs = rows_of_ink(sample.image)
        assert len(runs) == len(lines)
        assert sample.text == "\n".join(line for line in pages.text_of(index).split("\n") if line != "line 13")
        for line, (top, bottom) in zip(lines, runs, strict=True):
            number = int(line.split()[1])
            columns = np.flatnonzero((sample.image[top:bottom] < 60).any(0))
            width = 30 + 8 * (number % 5) - 8
            assert columns[-1] - columns[0] + 1 == pytest.approx(width, rel=0.15)


def test_no_ink_is_cut_and_paper_is_even():
    pages = bars(least=3, most=6, ruled=0.0, margin=(0.1, 0.3))
    for index in range(10):
        image = pages[index].image
        edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert len(np.unique(edges)) == 1
        assert edges[0] >= 215


def test_rules_are_drawn_where_asked_for():
    plain, ruled = bars(ruled=0.0, least=3, most=3)[0], bars(ruled=1.0, least=3, most=3)[0]
    light = [int(((image > 100) & (image < image.max())).all(1).sum()) for image in (plain.image, ruled.image)]
    assert light[0] == 0
    assert light[1] >= 3


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_of_pages_is_what_was_asked_for(share):
    pages = bars(least=2, most=4, share=share)
    many = sum("\n" in pages.text_of(index) for index in range(400)) / 400
    assert many == pytest.approx(share, abs=0.08)
    alone = next((i for i in range(9) if "\n" not in pages.text_of(i) and i != 13), None)
    if alone is not None:  # a line that stays alone stays as it is
        np.testing.assert_array_equal(pages[alone].image, Bars().line(alone * 4).image)


def test_lines_run_from_least_to_most():
    counts = {len(bars(least=2, most=5).indices(index)) for index in range(200)}
    assert counts == {2, 3, 4, 5}


def test_pages_take_as_many_lines_as_fit():
    pages = bars(least=4, most=4)
    pages.fits = lambda texts: len("\n".join(texts)) <= 20
    assert all(len(pages.text_of(index)) <= 20 for index in range(20))
    pages.fits = lambda texts: False
    assert pages[3].reason == "too_long"


def test_right_to_left_lines_are_flush_at_the_right():
    settings = PageSettings(ragged=0.0, centred=0.0, indent=0.0, ruled=0.0, leading=(0.2, 0.2))
    pictures = [Bars().line(0).image, Bars().line(4).image]
    for texts, side in ((["אבג", "דהו"], -1), (["abc", "def"], 0)):
        image = compose(pictures, texts, settings, rng(1, "looks"))
        ends = [np.flatnonzero((image[top:bottom] < 60).any(0))[side] for top, bottom in rows_of_ink(image)]
        assert abs(ends[0] - ends[1]) <= 2


def test_wrapping_keeps_every_word_in_order():
    lines = [TextLine(str(n), text, "en", "words", "train") for n, text in enumerate(WORDS)]
    cut = wrapped(lines, 12)
    assert " ".join(line.text for line in cut) == " ".join(WORDS)
    assert max(len(line.text) for line in cut) <= 12
    assert len({line.id for line in cut}) == len(cut)
    assert [line.text for line in wrapped(lines[2:3], 4)] == ["nine"]  # a word that is too long is left out


def test_one_hand_writes_a_page(fonts):
    lines = [TextLine(str(n), text, "en", "words", "train") for n, text in enumerate(WORDS)]
    rendered = RenderedLines(lines, load_recipe("clean", {"height_px": 24, "fonts": {"folders": [fonts]}}), 3)
    hands = [
        {s.provenance["font"] for s in rendered.together([n, n + 1, n + 2], one_hand)}
        for one_hand in (True, False)
        for n in range(8)
    ]
    assert all(len(hand) == 1 for hand in hands[:8])
    assert any(len(hand) > 1 for hand in hands[8:])


@pytest.mark.parametrize(
    "settings", [{"least": 3, "most": 2}, {"share": 1.5}, {"leading": (-0.9, 0.0)}, {"paper": (255, 200)}]
)
def test_settings_that_cannot_be_are_refused(settings):
    with pytest.raises(InputError):
        PageSettings(**settings)


def test_the_command_renders_pages_that_can_be_made_again(tmp_path, fonts, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.txt").write_text("\n".join(WORDS * 3), encoding="utf-8")
    command = ["render", "--corpus", "texts.txt", "--language", "en", "--unit", "page", "--page.most", "4",
               "--page.wrap", "12", "--height_px", "24", "--fonts", fonts, "--count", "12", "--shard_size", "5",
               "--output", "out"]  # fmt: skip
    assert main(command) in (0, None)
    samples = list(read_lines("out", "train"))
    assert len(samples) == 12 and any("\n" in sample.text for sample in samples)
    assert read_manifest("out", "lines").settings["page"]["most"] == 4
    for sample in samples[3:5]:
        again = ["render", "--corpus", "texts.txt", "--output", "out", "--replay", sample.id, "--fonts", fonts]
        assert main(again) in (0, None)


def test_pages_have_no_place_in_a_list_of_lines(tmp_path, capsys):
    command = ["render", "--corpus", "x", "--output", str(tmp_path / "o"), "--unit", "page", "--layout", "trdg"]
    assert main(command) == 2
    assert "labels.txt" in capsys.readouterr().err
