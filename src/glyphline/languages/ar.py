"""Arabic."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="ar",
    name="Arabic",
    scripts=("Arabic",),
    split_sentences=sentencex_for("ar"),
    samples=(
        "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
        "وقد وهبوا عقلًا وضميرًا وعليهم أن يعامل بعضهم بعضًا بروح الإخاء.",
        "كم ثمن التذكرة للساعة ١٠:٤٥؟ إنها بـ 3.5 دينار، أليس كذلك!",
    ),
    direction="rtl",
    digits="0123456789٠١٢٣٤٥٦٧٨٩",
    punctuation=".,!?:;()'\"-،؛؟«»“”–…%٪ـ",
    addresses=(
        "شارع {word}، رقم {number}، {place}",
        "{number} شارع {word}، {place} {postcode}",
        "حي {word}، {place}",
    ),
    places=(
        "القاهرة",
        "بغداد",
        "دمشق",
        "الرباط",
        "تونس",
        "عمان",
    ),
    font_packages=("fonts-noto-core",),
)
