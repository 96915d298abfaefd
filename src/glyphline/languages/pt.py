"""Portuguese."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="pt",
    name="Portuguese",
    scripts=("Latin",),
    split_sentences=sentencex_for("pt"),
    samples=(
        "Todos os seres humanos nascem livres e iguais em dignidade e em direitos.",
        "Dotados de razão e de consciência, devem agir uns para com os outros em espírito de fraternidade.",
        "Não é às 10:45? O bilhete custa 3,50 € (ou mais); então, vamos!",
    ),
    punctuation=".,!?:;()'\"-«»“”‘’–—…%",
    addresses=(
        "Rua {word}, {number}, {postcode} {place}",
        "Avenida {word}, {number}, {place}",
        "Praça {word}, n.º {number}, {place}",
    ),
    places=(
        "Lisboa",
        "Porto",
        "Coimbra",
        "São Paulo",
        "Rio de Janeiro",
        "Salvador",
    ),
    font_packages=("fonts-noto-core",),
)
