"""German."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="de",
    name="German",
    scripts=("Latin",),
    split_sentences=sentencex_for("de"),
    samples=(
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
        "Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
        "„Kostet das 3,50 €?“ – Ja, z. B. heute um 10:45 Uhr!",
    ),
    punctuation=".,!?:;()'\"-„“‚‘–—…%/§",
    addresses=(
        "{word}straße {number}, {postcode} {place}",
        "{word}weg {number}, {place}",
        "Am {word} {number}, {postcode} {place}",
    ),
    places=(
        "Berlin",
        "Hamburg",
        "München",
        "Köln",
        "Wien",
        "Zürich",
    ),
    font_packages=("fonts-noto-core",),
)
