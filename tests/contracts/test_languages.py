"""What every language's file promises; a new file in `languages/` is covered without an edit here."""

import unicodedata
from pathlib import Path

import pytest
import regex

from glyphline.corpus.filters import Judge
from glyphline.corpus.making import Wrapper
from glyphline.corpus.settings import FilterSettings
from glyphline.plugins import available, load
from glyphline.text import count_graphemes, graphemes, normalise

CODES = available("language")
REAL = Path(__file__).parents[3] / "shared/data/text"


@pytest.fixture(params=CODES)
def language(request):
    return load("language", request.param).LANGUAGE


def squeezed(text):
    return "".join(text.split())


def test_the_27_are_there():
    wanted = "ko en es fr de it pt pl cs tr vi id ru el ar fa he hi bn ta te ml th ja zh ka hy"
    assert set(wanted.split()) <= set(CODES)


def test_code_is_the_name_of_the_file(language):
    assert language.code in CODES
    assert load("language", language.code).LANGUAGE is language


def test_samples_are_in_its_scripts_direction_and_normal_form(language):
    text = "".join(language.samples)
    letters = [c for c in text if unicodedata.category(c)[0] == "L"]
    own = regex.compile("|".join(rf"\p{{Script_Extensions={script}}}" for script in language.scripts))
    assert sum(bool(own.match(c)) for c in letters) > 0.8 * len(letters)
    right_to_left = sum(unicodedata.bidirectional(c) in ("R", "AL") for c in letters)
    assert (right_to_left > len(letters) / 2) == (language.direction == "rtl")
    assert all(normalise(sample, language.rules) == sample for sample in language.samples)
    assert unicodedata.normalize(language.rules.form, text) == text


def test_digits_and_punctuation_of_the_samples_are_declared(language):
    text = "".join(language.samples)
    assert {c for c in text if unicodedata.category(c)[0] == "P"} <= set(language.punctuation) | set("%")
    digits = {c for c in text if unicodedata.category(c) == "Nd"}
    assert digits and digits <= set(language.digits)
    values = [unicodedata.digit(c) for c in language.digits]
    assert values == list(range(10)) * (len(values) // 10)
    assert len(set(language.punctuation)) == len(language.punctuation)


def test_spaces_are_declared(language):
    # A line of running text has a space in it, or its language does without.
    assert all(" " in sample for sample in language.samples) or not language.spaces


def test_sentences_are_found(language):
    between = " " if language.spaces or language.code == "th" else ""
    found = list(language.split_sentences([between.join(language.samples), "", language.samples[0]]))
    assert len(found) == 3
    assert found[1] == [] and found[2] == [language.samples[0]]
    assert squeezed("".join(found[0])) == squeezed("".join(language.samples))
    # Nothing may run over a sentence's end; a cut too many (after a quotation, say) is a matter of taste.
    # Thai ends sentences without a mark.
    marked = [i for i, sample in enumerate(language.samples) if not sample[-1].isalpha()]
    ends = {len(squeezed("".join(language.samples[: i + 1]))) for i in marked}
    cuts = {len(squeezed("".join(found[0][: i + 1]))) for i in range(len(found[0]))}
    assert ends <= cuts


@pytest.mark.parametrize("width", [8, 20, 48])
def test_wrapping_loses_nothing_and_keeps_to_the_width(language, width):
    wrap = Wrapper(language, 2, width)
    for sample in language.samples:
        lines = wrap(sample)
        assert squeezed("".join(lines)) == squeezed(sample)
        units = wrap.break_units(sample)
        assert "".join(units) == sample
        longest = max(count_graphemes(unit.strip()) for unit in units)
        assert max(map(count_graphemes, lines)) <= max(width, longest)
        # A cut never falls inside what a reader sees as one character.
        seen = [g for line in lines for g in graphemes(line) if g.strip()]
        assert seen == [g for g in graphemes(sample) if g.strip()]


def test_no_line_begins_with_what_must_not(language):
    forbidden = set("。、，．？！：；」』）》】…ーっゃゅょ।॥%％)]}»,.;:!?")
    for sample in language.samples:
        lines = Wrapper(language, 2, 8)(sample)
        assert not [line for line in lines[1:] if line[0] in forbidden and language.spaces is False]


def test_its_own_samples_pass_the_filters(language):
    judge = Judge(FilterSettings(), language)
    assert [judge(sample) for sample in language.samples] == [""] * len(language.samples)


def test_addresses_can_be_filled(language):
    for form in language.addresses:
        filled = form.format(place=language.places[0], word="x", number=7, postcode="01234")
        assert language.places[0] in filled or "{place}" not in form
    assert len(language.addresses) >= 2 and len(language.places) >= 4


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real texts beside the checkout")
def test_real_text_is_split_without_loss(language):
    files = sorted(REAL.glob(f"{language.code}.*.txt"))
    assert files
    texts = [normalise(text, language.rules) for text in files[0].read_text(encoding="utf-8").splitlines()[:60]]
    texts = [text for text in texts if text]
    found = list(language.split_sentences(texts))
    assert [squeezed("".join(pieces)) for pieces in found] == [squeezed(text) for text in texts]
    judge = Judge(FilterSettings(), language)
    assert sum(not judge(text) for text in texts) >= 0.8 * len(texts)
