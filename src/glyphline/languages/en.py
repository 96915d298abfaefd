"""English."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="en",
    name="English",
    scripts=("Latin",),
    split_sentences=sentencex_for("en"),
    samples=(
        "Dr. Smith came at 5 p.m. and left at once.",
        "It is 3.5 miles to the town. Shall we walk?",
    ),
    font_packages=("fonts-dejavu", "fonts-noto-core"),
)
