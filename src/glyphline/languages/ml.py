"""Malayalam."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="ml",
    name="Malayalam",
    scripts=("Malayalam",),
    split_sentences=sentencex_for("ml"),
    samples=(
        "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചവരാണ്.",
        "അന്യോന്യം ഭ്രാതൃഭാവത്തോടെ പെരുമാറുവാനാണ് മനുഷ്യന് വിവേകബുദ്ധിയും മനസ്സാക്ഷിയും സിദ്ധമായിരിക്കുന്നത്.",
        "10:45-ന്റെ ട്രെയിൻ ടിക്കറ്റിന് 350 രൂപയാണോ? അല്ല, വളരെ കൂടുതൽ!",
    ),
    digits="0123456789൦൧൨൩൪൫൬൭൮൯",
    punctuation=".,!?:;()'\"-“”‘’–—…%/",
    addresses=(
        "{number}, {word} റോഡ്, {place} - {postcode}",
        "വീട്ടു നമ്പർ {number}, {word}, {place}",
        "{word} നഗർ, {place}",
    ),
    places=(
        "തിരുവനന്തപുരം",
        "കൊച്ചി",
        "കോഴിക്കോട്",
        "തൃശ്ശൂർ",
        "കണ്ണൂർ",
        "കൊല്ലം",
    ),
    font_packages=("fonts-noto-core",),
)
