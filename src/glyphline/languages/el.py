"""Greek."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="el",
    name="Greek",
    scripts=("Greek",),
    split_sentences=sentencex_for("el"),
    samples=(
        "Τι κάνεις σήμερα; Πάμε στην αγορά.",
        "Ο καιρός είναι καλός και η θάλασσα ήρεμη.",
    ),
    punctuation=".,!;:·()'\"-«»–…",
    font_packages=("fonts-dejavu", "fonts-noto-core"),
)
