"""Polish."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="pl",
    name="Polish",
    scripts=("Latin",),
    split_sentences=sentencex_for("pl"),
    samples=(
        "Wszyscy ludzie rodzą się wolni i równi w swojej godności i prawach.",
        "Są obdarzeni rozumem i sumieniem i powinni postępować wobec siebie w duchu braterstwa.",
        "„Czy bilet na 10:45 kosztuje 3,50 zł?” – zapytał; źdźbło trawy drżało!",
    ),
    punctuation=".,!?:;()'\"-„”’–—…%&/",
    addresses=(
        "ul. {word} {number}, {postcode} {place}",
        "al. {word} {number}, {place}",
        "plac {word} {number}, {place}",
    ),
    places=(
        "Warszawa",
        "Kraków",
        "Łódź",
        "Wrocław",
        "Poznań",
        "Gdańsk",
    ),
    font_packages=("fonts-noto-core",),
)
