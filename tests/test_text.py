"""Text rules: lossless by default, the same for both sides of a metric."""

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from glyphline.text import TextRules, charset, graphemes, normalise

WRITTEN = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Zs"])


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("  두  칸\t띄움\n", "두 칸 띄움"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("ㅋㅋㅋ ㅠㅠ", "ㅋㅋㅋ ㅠㅠ"),
        ("제2회 漢字 ½ ２ Ⅳ", "제2회 漢字 ½ ２ Ⅳ"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("no\u00a0break\u3000wide", "no break wide"),
        ("“quotes” – dash … ", "“quotes” – dash …"),
        ("", ""),
        (" \u200b ", ""),
    ],
)
def test_the_default_rules(given_text, expected):
    assert normalise(given_text) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD", "none"])
@given(st.text())
def test_normalising_twice_is_normalising_once(form, text):
    rules = TextRules(form=form)
    assert normalise(normalise(text, rules), rules) == normalise(text, rules)


@given(st.lists(st.text(WRITTEN, min_size=1), min_size=1))
def test_the_default_rules_lose_nothing_that_is_written(words):
    text = unicodedata.normalize("NFC", " ".join(words))
    assert normalise(text) == text


def test_replacements_come_last_and_in_order():
    rules = TextRules(replace={"¬": "-", "--": "—"})
    assert normalise("ab¬  ¬-", rules) == "ab- —"
    assert normalise("a  b", TextRules(collapse_space=False)) == "a  b"
    assert normalise("a\u200bb", TextRules(drop_invisible=False)) == "a\u200bb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("한글", ["한", "글"]),
        (unicodedata.normalize("NFD", "한글"), [unicodedata.normalize("NFD", c) for c in "한글"]),
        ("é", ["é"]),
        ("नमस्ते", ["न", "म", "स्ते"]),
        ("👨‍👩‍👧a", ["👨‍👩‍👧", "a"]),
        ("\r\n", ["\r\n"]),
        ("", []),
    ],
)
def test_graphemes(text, expected):
    assert graphemes(text) == expected


@given(st.text() | st.text(st.characters(max_codepoint=127)))
def test_graphemes_agree_with_the_slow_way(text):
    assert graphemes(text) == regex.findall(r"\X", text)
    assert "".join(graphemes(text)) == text


@given(st.lists(st.text()))
def test_the_charset_is_the_sorted_set(texts):
    assert charset(iter(texts)) == "".join(sorted(set("".join(texts))))


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [("  one  two \r\n\n three\t", "one two\nthree"), ("\n\n", ""), ("a\u2028b", "a\nb"), (" 두  칸 ", "두 칸")],
)
def test_pages_keep_their_line_breaks_and_nothing_else(given_text, expected):
    rules = TextRules(collapse_space="lines")
    assert normalise(given_text, rules) == expected == normalise(expected, rules)
    assert "\n" not in normalise(given_text)
