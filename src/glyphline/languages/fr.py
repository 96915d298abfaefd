"""French."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="fr",
    name="French",
    scripts=("Latin",),
    split_sentences=sentencex_for("fr"),
    samples=(
        "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
        "Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
        "« Où va-t-on à 10 h 42 ? » – c'est-à-dire : quai n° 7, 3,50 € l'aller !",
    ),
    punctuation=".,!?:;()'\"-«»’–—…“”%°",
    addresses=(
        "{number}, rue de {word}, {postcode} {place}",
        "{number} bis, avenue {word}, {place}",
        "Place {word}, {postcode} {place}",
    ),
    places=(
        "Paris",
        "Lyon",
        "Marseille",
        "Nantes",
        "Bruxelles",
        "Montréal",
    ),
    font_packages=("fonts-noto-core",),
)
