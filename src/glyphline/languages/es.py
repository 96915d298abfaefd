"""Spanish."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="es",
    name="Spanish",
    scripts=("Latin",),
    split_sentences=sentencex_for("es"),
    samples=(
        "¿Dónde está la biblioteca? ¡Qué sorpresa!",
        "En un lugar de la Mancha, de cuyo nombre no quiero acordarme.",
    ),
    punctuation=".,!?:;()'\"-¿¡«»–…",
    font_packages=("fonts-dejavu", "fonts-noto-core"),
)
