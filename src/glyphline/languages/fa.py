"""Persian."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="fa",
    name="Persian",
    scripts=("Arabic",),
    split_sentences=sentencex_for("fa"),
    samples=(
        "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند.",
        "همه دارای عقل و وجدان هستند و باید نسبت به یکدیگر با روح برادری رفتار کنند.",
        "بلیت ساعت ۱۰:۴۵ چند است؟ قیمت آن ۳۵۰ تومان است؛ «گران» است!",
    ),
    direction="rtl",
    digits="0123456789۰۱۲۳۴۵۶۷۸۹",
    punctuation=".,!?:;()'\"-،؛؟«»“”–…%٪",
    addresses=(
        "{place}، خیابان {word}، پلاک {number}",
        "{place}، کوچه {word}، شماره {number}",
        "{place}، میدان {word}، کد پستی {postcode}",
    ),
    places=(
        "تهران",
        "اصفهان",
        "شیراز",
        "تبریز",
        "مشهد",
        "یزد",
    ),
    font_packages=("fonts-noto-core",),
)
