"""French."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="fr",
    name="French",
    scripts=("Latin",),
    split_sentences=sentencex_for("fr"),
    samples=(
        "Où étiez-vous l'été dernier ? Nous vous attendions.",
        "« Bonjour ! » dit-il en ôtant son chapeau.",
        "La cathédrale mesure 69 m de haut.",
    ),
    punctuation=".,!?:;()'\"-«»’–…",
    font_packages=("fonts-dejavu", "fonts-noto-core"),
)
