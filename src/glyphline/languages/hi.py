"""Hindi."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="hi",
    name="Hindi",
    scripts=("Devanagari",),
    split_sentences=sentencex_for("hi"),
    samples=(
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
        "उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
        "क्या १०:४५ की गाड़ी का टिकट 350 रुपये का है? नहीं, बहुत महँगा है!",
    ),
    digits="0123456789०१२३४५६७८९",
    punctuation=".,!?:;()'\"-।॥“”‘’–—…%/",
    addresses=(
        "{number}, {word} मार्ग, {place} - {postcode}",
        "मकान नं. {number}, {word} नगर, {place}",
        "{word} रोड, {place}",
    ),
    places=(
        "नई दिल्ली",
        "मुंबई",
        "लखनऊ",
        "जयपुर",
        "भोपाल",
        "पटना",
    ),
    font_packages=("fonts-noto-core",),
)
