"""Bengali."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="bn",
    name="Bengali",
    scripts=("Bengali",),
    split_sentences=sentencex_for("bn"),
    samples=(
        "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
        "তাঁদের বিবেক এবং বুদ্ধি আছে; সুতরাং সকলেরই একে অপরের প্রতি ভ্রাতৃত্বসুলভ মনোভাব নিয়ে আচরণ করা উচিত।",
        "১০:৪৫-এর ট্রেনের টিকিটের দাম কি ৩৫০ টাকা? না, অনেক বেশি!",
    ),
    digits="0123456789০১২৩৪৫৬৭৮৯",
    punctuation=".,!?:;()'\"-।॥“”‘’–—…%/",
    addresses=(
        "{number}, {word} রোড, {place} - {postcode}",
        "বাড়ি নং {number}, {word} সড়ক, {place}",
        "{word} লেন, {place}",
    ),
    places=(
        "ঢাকা",
        "কলকাতা",
        "চট্টগ্রাম",
        "খুলনা",
        "রাজশাহী",
        "সিলেট",
    ),
    font_packages=("fonts-noto-core",),
)
