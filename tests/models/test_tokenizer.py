"""Tokenizers lose nothing, know no [UNK], and open in plain transformers."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS

from glyphline.models.tokenizer import (
    TokenizerSettings,
    encode_labels,
    hub_tokenizer,
    start_and_end,
    train_tokenizer,
    unknown_characters,
)
from glyphline.settings import InputError
from glyphline.text import normalise


@pytest.fixture(scope="module", params=["char", "unigram", "jamo"])
def tokenizer(request):
    return train_tokenizer(TEXTS * 5, TokenizerSettings(request.param, vocab_size=330))


SYLLABLES = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
ANYTHING = st.text(SYLLABLES | st.characters(exclude_categories=("Cs", "Cc")), max_size=25)


def assert_comes_back(tokenizer, text, restore):
    text = normalise(text).replace("▁", "_")
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    if not any(token in text for token in tokenizer.all_special_tokens):
        assert tokenizer.unk_token_id not in ids
        assert restore(tokenizer.decode(ids, skip_special_tokens=True)) == text


@given(ANYTHING)
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back(text):
    assert_comes_back(shared(), text, str)


@given(ANYTHING)
@settings(max_examples=100, deadline=None)
def test_jamo_come_back_as_syllables(text):
    assert_comes_back(letters(), text, normalise)


def test_jamo_are_letters_of_syllables():
    assert letters().convert_ids_to_tokens(letters()("각 가", add_special_tokens=False)["input_ids"]) == list(
        unicodedata.normalize("NFD", "각▁가")
    )


def letters(made=[]):  # noqa: B006 - made once
    if not made:
        made.append(train_tokenizer(["각 닿 쀓", *TEXTS] * 5, TokenizerSettings("jamo")))
    return made[0]


def test_unknown_characters_are_those_without_a_token():
    tokenizer = train_tokenizer(TEXTS * 5, TokenizerSettings("char"))
    assert unknown_characters(tokenizer, "안녕 글한é") == "글한"


def shared(made=[]):  # noqa: B006 - made once
    if not made:
        made.append(train_tokenizer(TEXTS * 5, TokenizerSettings("char")))
    return made[0]


def test_pieces_equal_sentencepiece_own(tmp_path):
    """The conversion against the library that trained it."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 5), model_prefix=str(tmp_path / "m"), model_type="unigram", vocab_size=330,
        character_coverage=1.0, byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, split_digits=True, hard_vocab_limit=False, pad_id=0, bos_id=1, eos_id=2,
        unk_id=3, minloglevel=2,
    )  # fmt: skip
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "m.model"))
    ours = train_tokenizer(TEXTS * 5, TokenizerSettings("unigram", vocab_size=330))
    for text in [*TEXTS, "새로운 문장 12", "𓀀 ü"]:
        assert ours(text, add_special_tokens=False)["input_ids"] == theirs.encode(text)


def test_labels_end_once_and_do_not_begin(tokenizer):
    start, end, _ = start_and_end(tokenizer)
    for ids in encode_labels(tokenizer, TEXTS):
        assert ids[-1] == end
        assert ids.count(end) == 1
        assert start not in ids


def test_same_after_saving(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    assert hub_tokenizer(str(tmp_path))(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]


def test_missing_tokenizer_and_empty_split_are_errors(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded"):
        hub_tokenizer(str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="train split is empty"):
        train_tokenizer([], TokenizerSettings())


@pytest.mark.parametrize("kind", ["char", "unigram", "jamo"])
def test_a_line_break_is_one_token_wherever_it_stands(kind, tmp_path):
    made = train_tokenizer(["ab cd\nef gh", "세계 안녕\nab"] * 5, TokenizerSettings(kind, vocab_size=330))
    made.save_pretrained(tmp_path)
    for tokenizer in (made, hub_tokenizer(str(tmp_path))):
        [line_break] = tokenizer("\n", add_special_tokens=False)["input_ids"]
        lines = ["ab", "ef 안녕", "", "gh é"]
        parts = [tokenizer(line, add_special_tokens=False)["input_ids"] for line in lines]
        joined = [*parts[0], *(token for part in parts[1:] for token in (line_break, *part))]
        assert encode_labels(tokenizer, ["\n".join(lines)])[0][:-1] == joined
        assert normalise(tokenizer.decode(joined)) == normalise("\n".join(lines))
        assert tokenizer.decode(joined).count("\n") == 3
        assert unknown_characters(tokenizer, "\n") == ""
