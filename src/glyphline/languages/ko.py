"""Korean."""

from glyphline.languages import Language
from glyphline.languages._cutting import korean_sentences

LANGUAGE = Language(
    code="ko",
    name="Korean",
    scripts=("Hangul", "Han"),
    split_sentences=korean_sentences,
    samples=(
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
        "인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
        "회의는 3월 14일 오후 2시 30분에 시작하고, 값은 10.5% 올랐다(전년比)!",
    ),
    punctuation=".,!?:;()'\"-·…‘’“”~「」『』《》〈〉",
    packages=("kiwipiepy", "kiwipiepy_model"),
    addresses=(
        "{place} {word}로 {number}",
        "{place} {word}길 {number}, {number}호",
        "({postcode}) {place} {word}동 {number}",
    ),
    places=(
        "서울특별시 종로구",
        "부산광역시 해운대구",
        "대구광역시 중구",
        "인천광역시 연수구",
        "광주광역시 북구",
        "제주시",
    ),
    font_packages=("fonts-nanum", "fonts-unfonts-core", "fonts-noto-cjk"),
)
