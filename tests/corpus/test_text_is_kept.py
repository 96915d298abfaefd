"""Kept text equals its normalised input, digit for digit; what is not kept is listed."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glyphline.corpus.analysis import Analyser
from glyphline.corpus.files import Files
from glyphline.corpus.filters import wrongly_decoded
from glyphline.corpus.personal import mask
from glyphline.corpus.plan import PlannedSource
from glyphline.corpus.settings import CollectSettings, FilterSettings, LineMix
from glyphline.corpus.sources.text import SOURCE, TextFiles
from glyphline.text import count_graphemes, graphemes, normalise

LENIENT = FilterSettings(repeat_limit=0, script_share=0, controls=False, mojibake="keep", markup=False, urls=False)
PIECES = st.sampled_from(
    [
        "10.5%",
        "안녕하세요.",
        "전년比",
        "ㅋㅋㅋ",
        "A/B",
        "3월 14일",
        "Où ? ",
        "«»",
        "e\u0301",
        "हिन्दी",
        "か\u3099",
        "👨‍👩‍👧",
        "，",
        "...",
        "\u200d",
    ]
)
TEXT = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=12).map(" ".join)


def analyser(language, personal_data="keep", filters=LENIENT, **more):
    source = PlannedSource("x", SOURCE, TextFiles("text", personal_data=personal_data), language, Files([]), "")
    return Analyser(source, CollectSettings(filters=filters, **more))


def squeezed(text):
    return "".join(text.split())


def parts(document):
    return [normalise(part) for part in re.split("[\r\n\v\f\u2028\u2029]", document)]


def whole(documents):
    paragraphs = [part for document in documents for part in parts(document)]
    return squeezed("".join(paragraphs))


@pytest.mark.parametrize("mix", [LineMix(), LineMix(wrapped=1), LineMix(whole=0, phrase=1), LineMix(1, 1, 1)])
@pytest.mark.parametrize("language", ["en", "ja", "th"])
@settings(max_examples=40, deadline=None)
@given(documents=st.lists(TEXT, min_size=1, max_size=3))
@example(documents=["1 a\u0301 2,5 %"])
def test_kept_and_dropped_together_are_the_input(language, mix, documents):
    done = analyser(language, mix=mix, min_graphemes=2, max_graphemes=10).analyse(documents)
    # Lines and drops are noted apart, so compare as bags of code points, and order within the lines alone.
    out = sorted(squeezed("".join([*done.lines, *(drop.item for drop in done.drops)])))
    assert out == sorted(whole(documents))
    assert all(2 <= count_graphemes(line) <= 10 for line in done.lines)
    assert all(line == normalise(line) for line in done.lines)


@settings(max_examples=60, deadline=None)
@given(document=TEXT)
def test_korean_sentences_are_pieces_of_the_text(document):
    done = analyser("ko", min_graphemes=1, max_graphemes=10_000).analyse([document])
    assert sorted(squeezed("".join([*done.lines, *(drop.item for drop in done.drops)]))) == sorted(whole([document]))
    assert all(any(line in part for part in parts(document)) for line in done.lines)


@settings(max_examples=100, deadline=None)
@given(text=TEXT)
def test_default_filters_drop_or_leave_alone(text):
    done = analyser("ko", filters=FilterSettings(), min_graphemes=1, max_graphemes=10_000).analyse([text])
    assert all(any(line in part for part in parts(text)) for line in done.lines)
    assert sorted(squeezed("".join([*done.lines, *(drop.item for drop in done.drops)]))) == sorted(whole([text]))


@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_count_of_graphemes(text):
    assert count_graphemes(text) == len(graphemes(text))


def test_only_personal_data_is_masked():
    text = "전화 010-1234-5678, 메일 kim.m@naver.com, 주민 900101-1234567, 값 1,234,567원 2024-05-06 12:30 3.5%"
    masked, places = mask(text)
    assert (
        masked == "전화 ***-****-****, 메일 ***.*@*****.***, 주민 ******-*******, 값 1,234,567원 2024-05-06 12:30 3.5%"
    )
    assert places == 3
    assert mask("평점 10점, 2시간 10분, 1995년생")[1] == 0


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("1839-1842년경 중국", "1839-1842년경 중국"),
        ("1588-3366으로", "****-****으로"),
        ("그 가치는,@유효@하다.앞으로도", "그 가치는,@유효@하다.앞으로도"),
        ("메일부탁합니다nate010@nate.com감사합니다", "메일부탁합니다*******@****.***감사합니다"),
        ("드릴께요.joonpeter@naver.com 입니다", "드릴께요.*********@*****.*** 입니다"),
        ("고화질있으신분@naver.com연락주세요", "고화질있으신분@naver.com연락주세요"),
        ("kim@mail.snu.ac.kr로", "***@****.***.**.**로"),
        ("전화 010 3227 2293 김", "전화 *** **** **** 김"),
    ],
)
def test_masks_end_where_the_data_end(text, masked):
    assert mask(text)[0] == masked


def test_mask_and_drop():
    text = "제 번호는 010-1234-5678 입니다."
    assert analyser("ko", "mask").analyse([text]).lines == ["제 번호는 ***-****-**** 입니다."]
    dropped = analyser("ko", "drop").analyse([text])
    assert not dropped.lines and [drop.reason for drop in dropped.drops] == ["personal_data"]
    assert analyser("ko").analyse([text]).lines == [text]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("재미있는 <b>영화</b>", "markup"),
        ("<부산행> 재밌다 &quot;정말&quot;", "markup"),
        ("<부산행> 재밌다 <3 --> 추천", ""),
        ("딘케인 쵝오>ㅁ<b>", ""),
        ("강추<p>a<b>꼭", "markup"),
        ("제가 젤루 사랑해요 짱!!&hearts;", "markup"),
        ("이건 [[정치 영화]]임.", ""),
        ("오타 ha[[y 라니 참 좋다", ""),
        ("[[서울]]은 [[한강]]에 있다", "markup"),
        ("[[서울특별시|서울]]은", "markup"),
        ("[[파일:한강.jpg", "markup"),
        ("=== 최고다 === ''최고'''", ""),
        ("Scary보다는 Creepy!", ""),
        ("자세한 것은 http://a.kr/b 참고", "url"),
        ("www.naver.com 에서 봤음", "url"),
        ("naver.com 에서 봤음 3/5점", ""),
        ("ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "repeated_characters"),
        ("최고최고최고최고최고최고최고최고최고최고최고최고", "repeated_characters"),
        ("ㅋㅋㅋㅋ ㅠㅠ", ""),
        ("Best movie ever made", "wrong_script"),
        ("CGV에서 IMAX 3D로 봤다", ""),
        ("映畵 映畵 映畵", ""),
        ("?!...", "no_letters"),
        ("10/10", ""),
        ("글\x07자", "control_characters"),
        ("글\ue000자", "control_characters"),
        ("\u202e보고싶을려나..", "control_characters"),
        ("글\u3164자", "control_characters"),
        ("ì•ˆë…•í•˜ì„¸ìš” ë°˜ê°‘ìŠµë‹ˆë‹¤", "mojibake"),
        ("글\ufffd자", "mojibake"),
        ("caf\u00c3\u00a9에서 봤다", "mojibake"),
        ("»Éste 영화다", ""),
    ],
)
def test_reasons(text, reason):
    done = analyser("ko", filters=FilterSettings(), min_graphemes=1, max_graphemes=100).analyse([text])
    assert [drop.reason for drop in done.drops] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("»Éstas fueron las razones que Anselmo dijo a Lotario", ""),
        ("«État», dit-il", ""),
        ("nuestro pa\ufffd\ufffds se sitúa", "mojibake"),
        ("un caf√© por favor", "mojibake"),
        ("un cafÃ© por favor", "mojibake"),
    ],
)
def test_wrong_decodings(text, reason):
    assert wrongly_decoded(text) == reason


def test_mojibake_is_repaired_on_request():
    right = "어제 본 영화가 재미있었다"
    settings = FilterSettings(mojibake="repair")
    assert analyser("ko", filters=settings).analyse([right.encode().decode("latin-1")]).lines == [right]


def test_lists_and_fonts(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("바보\nass\n", encoding="utf-8-sig")
    judge = analyser("ko", filters=FilterSettings(profanity=str(words), script_share=0)).judge
    assert [judge(text) for text in ("이 바보야", "Ass!", "grass", "좋다")] == ["profanity", "profanity", "", ""]


def test_half_characters_are_dropped():
    done = analyser("en").analyse(["ok \ud800 no", "fine"])
    assert done.lines == ["fine"] and [drop.reason for drop in done.drops] == ["undecodable"]


def test_detokenised():
    source = PlannedSource("x", SOURCE, TextFiles("text", detokenise=True), "te", Files([]), "")
    done = Analyser(source, CollectSettings(filters=LENIENT)).analyse(["నా దగ్గిర డబ్బు లేదు .", "( 3 ) , x"])
    assert done.lines == ["నా దగ్గిర డబ్బు లేదు.", "(3), x"]
