"""Greek."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="el",
    name="Greek",
    scripts=("Greek",),
    split_sentences=sentencex_for("el"),
    samples=(
        "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
        "Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
        "«Πόσο κάνει το εισιτήριο για τις 10:45;» ρώτησε· 3,50 € μόνο!",
    ),
    punctuation=".,!?:;()'\"-«»·΄’“”–—…%",
    addresses=(
        "Οδός {word} {number}, {postcode} {place}",
        "{word} {number}, {place}",
        "Πλατεία {word} {number}, {place}",
    ),
    places=(
        "Αθήνα",
        "Θεσσαλονίκη",
        "Πάτρα",
        "Ηράκλειο",
        "Λάρισα",
        "Βόλος",
    ),
    font_packages=("fonts-noto-core",),
)
