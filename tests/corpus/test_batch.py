"""Many texts at once give what each alone gives, on texts made to be awkward."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glyphline.corpus.analysis import split_of, splits_of
from glyphline.corpus.batch import Batch
from glyphline.corpus.filters import Judge, repeats
from glyphline.corpus.personal import has_personal_data, mask, mask_all, suspects
from glyphline.corpus.settings import FilterSettings, SplitSettings
from glyphline.corpus.similarity import skeleton, skeletons
from glyphline.languages._cutting import korean_sentences
from glyphline.plugins import load
from glyphline.records import SPLITS
from glyphline.seeds import share, shares
from glyphline.text import TextRules, count_graphemes, graphemes, normalise, normalise_all

ROOT = Path(__file__).parents[2]
PIECES = [
    "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "ㅋ", "가나가나가나가나가나가나가나가나가나가나가나", "abcd" * 11,
    "abcd" * 10, "ab", "\u0308", "e\u0301", "<b>", "&amp;", "[[", "'''x'''", "http://a.kr",
    "WwW.a.b", "naver.com/x", "w", "/", "\u202e", "\x07", "\ue000", "\ufffd", "Ã©", "ì•ˆë…•", "»É",
    "010-1234-5678", "+82 10 1234 5678", "1588-1234", "a@b.kr", "900101-1234567", "1234567",
    "٠١٢٣٤٥٦٧", "…", "!!", "한국어", "English", "漢字", "кот", "हिन्दी", "กำ", "👨‍👩‍👧", "🇰🇷🇰",
    "ß", "İ", "\u200b", "\ufeff", "\xa0", "  ", "\t", " ", "\u3000", "\x1c", "\x85", "각", "각",
    "か\u3099", "😀",
]  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=8).map("".join)
TEXTS = st.lists(TEXT.filter(lambda text: not set(text) & set("\n")), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS)
@example(texts=["", "a" * 10, "a" * 11, "", "aaa"])
@example(texts=["ab" * 6, "ab" * 6, "ba" * 11, "b"])
@example(texts=["abc" * 5 + "a", "bc" + "abc" * 10])
@pytest.mark.parametrize("language", ["ko", "en", "hi"])
def test_filters(language, texts):
    judge = Judge(FilterSettings(), load("language", language).LANGUAGE)
    batch = Batch(texts)
    assert judge.all(batch) == [judge(text) for text in texts]
    # What is not suspected passes each filter by itself, whatever the ones before it said.
    for check in judge.filters:
        suspected = check.suspects(batch)
        assert not any(check(text) for text, seen in zip(texts, suspected, strict=True) if not seen)


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text("ab가", max_size=40), min_size=1, max_size=5), limit=st.integers(1, 4))
def test_repeats(texts, limit):
    check = repeats(limit)
    seen = check.suspects(Batch(texts))
    assert all(seen[i] for i, text in enumerate(texts) if check(text))


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS)
def test_texts(texts):
    for rules in (None, TextRules("NFKD"), TextRules("none", drop_invisible=False), TextRules(replace={"a": "\n"})):
        assert normalise_all(texts, rules) == [normalise(text, rules) for text in texts]
    assert normalise_all([*texts, "a\nb"]) == [normalise(text) for text in [*texts, "a\nb"]]
    assert skeletons(texts) == [skeleton(text) for text in texts]
    assert skeletons([*texts, "a\nb"]) == [skeleton(text) for text in [*texts, "a\nb"]]
    masked = [mask(text) for text in texts]
    assert mask_all(texts) == ([text for text, _ in masked], sum(places for _, places in masked))
    assert not any(has_personal_data(t) for t, seen in zip(texts, suspects(Batch(texts)), strict=True) if not seen)


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS)
def test_graphemes(texts):
    batch = Batch(texts)
    assert batch.lengths().tolist() == [count_graphemes(text) for text in texts]
    assert batch.graphemes() == Counter(grapheme for text in texts for grapheme in graphemes(text))


def test_nothing():
    batch = Batch([])
    assert Judge(FilterSettings(), load("language", "ko").LANGUAGE).all(batch) == []
    assert not batch.graphemes() and not len(batch.lengths())
    assert normalise_all([]) == skeletons([]) == [] and mask_all([]) == ([], 0)


def test_every_code_point():
    """Alone as a text, as filters and lengths see it."""
    texts = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000 and chr(code) != "\n"]
    judge, batch = Judge(FilterSettings(), load("language", "ko").LANGUAGE), Batch(texts)
    assert judge.all(batch) == [judge(text) for text in texts]
    assert batch.lengths().max() == batch.lengths().min() == 1


def test_splits():
    names = ["", "가나다", "abc", "x" * 500]
    assert shares(7, "split", names) == [share(7, "split", name) for name in names]
    split = SplitSettings(0.3, 0.3)
    texts = [f"Satz {number}!" for number in range(50)]
    assert [SPLITS[place] for place in splits_of(skeletons(texts), 3, split)] == [split_of(t, 3, split) for t in texts]


def test_korean_sentences_are_those_of_kiwi():
    from kiwipiepy import Kiwi

    texts = (ROOT / "demo/text/ko.chatbot.txt").read_text(encoding="utf-8").splitlines()
    texts = [" ".join(texts[start : start + 3]) for start in range(0, 1500, 3)]
    texts += [
        "",
        " ",
        "ㅋㅋㅋ 재밌다!! 강추... (별로라는 사람도 있다.) 끝",
        "1. 첫째 2. 둘째",
        "“좋다.”라고 했다. 그랬다",
    ]
    kiwi = Kiwi()
    for text, found in zip(texts, korean_sentences(texts), strict=True):
        starts = [sentence.start for sentence in kiwi.split_into_sents(text)]
        edges = [0, *starts[1:], len(text)]
        expected = [text[a:b].strip() for a, b in zip(edges, edges[1:], strict=False)]
        assert found == [piece for piece in expected if piece]
