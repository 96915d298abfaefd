"""English."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="en",
    name="English",
    scripts=("Latin",),
    split_sentences=sentencex_for("en"),
    samples=(
        "All human beings are born free and equal in dignity and rights.",
        "They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
        "It's 3.5 miles to Dr. Smith's house (or more?); shall we walk at 5:30 – yes!",
    ),
    punctuation=".,!?:;()'\"-–—‘’“”…&/%",
    addresses=(
        "{number} {word} Street, {place} {postcode}",
        "{number} {word} Road, {place}",
        "Flat {number}, {word} Lane, {place}",
    ),
    places=(
        "London",
        "Boston",
        "Chicago",
        "Dublin",
        "Sydney",
        "Toronto",
    ),
    font_packages=("fonts-noto-core",),
)
