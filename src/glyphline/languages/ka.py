"""Georgian."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="ka",
    name="Georgian",
    scripts=("Georgian",),
    split_sentences=sentencex_for("ka"),
    samples=(
        "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით.",
        "მათ მინიჭებული აქვთ გონება და სინდისი და ერთმანეთის მიმართ უნდა იქცეოდნენ ძმობის სულისკვეთებით.",
        "„რა ღირს ბილეთი 10:45-ზე?“ – იკითხა მან; 35,50 ლარი, ძვირია!",
    ),
    punctuation=".,!?:;()'\"-„“”–—…%/",
    addresses=(
        "{word} ქუჩა {number}, {place}",
        "{place}, {word} გამზირი {number}, {postcode}",
        "{word} მოედანი {number}, {place}",
    ),
    places=(
        "თბილისი",
        "ქუთაისი",
        "ბათუმი",
        "რუსთავი",
        "გორი",
        "ზუგდიდი",
    ),
    font_packages=("fonts-noto-core",),
)
