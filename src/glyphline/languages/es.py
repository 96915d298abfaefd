"""Spanish."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="es",
    name="Spanish",
    scripts=("Latin",),
    split_sentences=sentencex_for("es"),
    samples=(
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
        "Todo individuo tiene derecho a la vida, a la libertad y a la seguridad de su persona.",
        "¿Cuánto cuesta el billete de las 10:45? ¡Sólo 3,50 €!",
    ),
    punctuation=".,!?:;()'\"-¿¡«»“”–—…%",
    addresses=(
        "Calle {word}, {number}, {postcode} {place}",
        "Avenida de {word}, {number}, {place}",
        "Plaza {word}, n.º {number}, {place}",
    ),
    places=(
        "Madrid",
        "Barcelona",
        "Sevilla",
        "Bogotá",
        "Buenos Aires",
        "Lima",
    ),
    font_packages=("fonts-noto-core",),
)
