"""Italian."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="it",
    name="Italian",
    scripts=("Latin",),
    split_sentences=sentencex_for("it"),
    samples=(
        "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.",
        "Essi sono dotati di ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
        "Perché il treno delle 10:45 costa 3,50 €? È l'ultimo, cioè «il più caro»!",
    ),
    punctuation=".,!?:;()'\"-«»“”’–—…%",
    addresses=(
        "Via {word} {number}, {postcode} {place}",
        "Piazza {word}, {number}, {place}",
        "Corso {word} {number}, {place}",
    ),
    places=(
        "Roma",
        "Milano",
        "Napoli",
        "Torino",
        "Firenze",
        "Bologna",
    ),
    font_packages=("fonts-noto-core",),
)
