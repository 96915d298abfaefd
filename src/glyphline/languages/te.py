"""Telugu."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="te",
    name="Telugu",
    scripts=("Telugu",),
    split_sentences=sentencex_for("te"),
    samples=(
        "ప్రతిపత్తి స్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును నగుదురు.",
        "వారు వివేచన, అంతఃకరణ సంపన్నులగుటచే పరస్పరము భ్రాతృభావముతో వర్తింపవలయును.",
        "10:45 గంటల రైలు టికెట్టు ధర 350 రూపాయలా? కాదు, చాలా ఎక్కువ!",
    ),
    digits="0123456789౦౧౨౩౪౫౬౭౮౯",
    punctuation=".,!?:;()'\"-।“”‘’–—…%/",
    addresses=(
        "{number}, {word} వీధి, {place} - {postcode}",
        "ఇంటి నం. {number}, {word} రోడ్డు, {place}",
        "{word} నగర్, {place}",
    ),
    places=(
        "హైదరాబాదు",
        "విజయవాడ",
        "విశాఖపట్నం",
        "తిరుపతి",
        "వరంగల్",
        "గుంటూరు",
    ),
    font_packages=("fonts-noto-core",),
)
