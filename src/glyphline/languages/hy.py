"""Armenian."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="hy",
    name="Armenian",
    scripts=("Armenian",),
    split_sentences=sentencex_for("hy"),
    samples=(
        "Բոլոր մարդիկ ծնվում են ազատ ու հավասար՝ իրենց արժանապատվությամբ և իրավունքներով։",
        "Նրանք օժտված են բանականությամբ և խղճով և պարտավոր են միմյանց նկատմամբ վարվել եղբայրության ոգով։",
        "Ինչքա՞ն արժե 10:45-ի տոմսը. 350,5 դրամ, շատ թա՜նկ է՛ («թանկ»)։",
    ),
    punctuation=".,:;()'\"-։՝՞՜՛«»—–…%/",
    addresses=(
        "{place}, {word} փողոց {number}",
        "{word} պողոտա {number}, {place} {postcode}",
        "{word} հրապարակ {number}, {place}",
    ),
    places=(
        "Երևան",
        "Գյումրի",
        "Վանաձոր",
        "Էջմիածին",
        "Աբովյան",
        "Գորիս",
    ),
    font_packages=("fonts-noto-core",),
)
