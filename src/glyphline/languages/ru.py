"""Russian."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="ru",
    name="Russian",
    scripts=("Cyrillic",),
    split_sentences=sentencex_for("ru"),
    samples=(
        "Все люди рождаются свободными и равными в своём достоинстве и правах.",
        "Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
        "«Сколько стоит билет на 10:45?» — спросил он; цена № 7: 350,50 руб.!",
    ),
    punctuation=".,!?:;()'\"-«»„“–—…%№/",
    addresses=(
        "ул. {word}, д. {number}, {place}",
        "{postcode}, {place}, ул. {word}, {number}",
        "проспект {word}, {number}, {place}",
    ),
    places=(
        "Москва",
        "Санкт-Петербург",
        "Казань",
        "Новосибирск",
        "Самара",
        "Омск",
    ),
    font_packages=("fonts-noto-core",),
)
