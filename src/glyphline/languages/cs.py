"""Czech."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="cs",
    name="Czech",
    scripts=("Latin",),
    split_sentences=sentencex_for("cs"),
    samples=(
        "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.",
        "Jsou nadáni rozumem a svědomím a mají spolu jednat v duchu bratrství.",
        "„Stojí lístek na 10:45 opravdu 35 Kč?“ – ptal se; žluťoučký kůň!",
    ),
    punctuation=".,!?:;()'\"-„“‚‘–—…%/’",
    addresses=(
        "{word} {number}, {postcode} {place}",
        "ulice {word} {number}, {place}",
        "náměstí {word} {number}, {place}",
    ),
    places=(
        "Praha",
        "Brno",
        "Ostrava",
        "Plzeň",
        "Liberec",
        "Olomouc",
    ),
    font_packages=("fonts-noto-core",),
)
