"""Indonesian."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="id",
    name="Indonesian",
    scripts=("Latin",),
    split_sentences=sentencex_for("id"),
    samples=(
        "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama.",
        "Mereka dikaruniai akal dan hati nurani dan hendaknya bergaul satu sama lain dalam semangat persaudaraan.",
        "Apakah karcis pukul 10.45 harganya Rp 35.000? Kupu-kupu itu indah!",
    ),
    punctuation=".,!?:;()'\"-“”‘’–—…%&/",
    addresses=(
        "Jalan {word} No. {number}, {place} {postcode}",
        "Jl. {word} {number}, {place}",
        "Gang {word} No. {number}, {place}",
    ),
    places=(
        "Jakarta",
        "Surabaya",
        "Bandung",
        "Medan",
        "Yogyakarta",
        "Makassar",
    ),
    font_packages=("fonts-noto-core",),
)
