"""Hebrew."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="he",
    name="Hebrew",
    scripts=("Hebrew",),
    split_sentences=sentencex_for("he"),
    samples=(
        "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
        "כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה.",
        'כמה עולה הכרטיס לשעה 10:45? רק 35 ש"ח – לא יקר!',
    ),
    direction="rtl",
    punctuation=".,!?:;()'\"-־׳״“”–—…%/",
    addresses=(
        "רחוב {word} {number}, {place}",
        "{word} {number}, {place} {postcode}",
        "שדרות {word} {number}, {place}",
    ),
    places=(
        "ירושלים",
        "תל אביב",
        "חיפה",
        "באר שבע",
        "נצרת",
        "אילת",
    ),
    font_packages=("fonts-noto-core",),
)
