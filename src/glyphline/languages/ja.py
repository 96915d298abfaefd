"""Japanese."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="ja",
    name="Japanese",
    scripts=("Han", "Hiragana", "Katakana"),
    split_sentences=sentencex_for("ja"),
    samples=(
        "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
        "人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
        "「10時45分の電車は350円ですか？」と聞いた（データは3.5％増）！",
    ),
    spaces=False,
    punctuation="。、，．・「」『』（）〈〉《》【】“”？！：；ー〜…％.,!?:;()'\"-",
    addresses=(
        "〒{postcode} {place}{word}町{number}",
        "{place}{word}{number}丁目{number}番{number}号",
        "{place}{word}通り{number}",
    ),
    places=(
        "東京都千代田区",
        "大阪市北区",
        "京都市左京区",
        "札幌市中央区",
        "福岡市博多区",
        "名古屋市中区",
    ),
    font_packages=("fonts-noto-cjk",),
)
