"""Turkish."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="tr",
    name="Turkish",
    scripts=("Latin",),
    split_sentences=sentencex_for("tr"),
    samples=(
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.",
        "Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
        "Saat 10:45'te İzmir'e giden trenin bileti 35,50 TL mi? Işık söndü!",
    ),
    punctuation=".,!?:;()'\"-“”‘’–—…%",
    addresses=(
        "{word} Caddesi No: {number}, {place}",
        "{word} Sokak No: {number}, {postcode} {place}",
        "{word} Mahallesi {number}, {place}",
    ),
    places=(
        "İstanbul",
        "Ankara",
        "İzmir",
        "Bursa",
        "Antalya",
        "Konya",
    ),
    font_packages=("fonts-noto-core",),
)
