"""Korean."""

from glyphline.languages import Language
from glyphline.languages._cutting import korean_sentences

LANGUAGE = Language(
    code="ko",
    name="Korean",
    scripts=("Hangul", "Han"),
    split_sentences=korean_sentences,
    samples=(
        "안녕하세요. 오늘은 날씨가 참 좋네요!",
        "회의는 3월 14일 오후 2시 30분에 시작합니다.",
        "값이 10.5% 올랐다(전년比).",
    ),
    font_packages=("fonts-nanum", "fonts-unfonts-core", "fonts-noto-cjk"),
)
