"""Thai."""

from glyphline.languages import Language
from glyphline.languages._cutting import thai_sentences

LANGUAGE = Language(
    code="th",
    name="Thai",
    scripts=("Thai",),
    split_sentences=thai_sentences,
    samples=(
        "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
        "รถไฟเที่ยว ๑๐:๔๕ น. ราคา 350 บาทหรือ? แพงมากๆ!",
    ),
    spaces=False,
    digits="0123456789๐๑๒๓๔๕๖๗๘๙",
    punctuation=".,!?:;()'\"-ฯๆ“”‘’–…%/",
    packages=("icu4py", "pythainlp", "python-crfsuite"),
    addresses=(
        "{number} ถนน{word} {place} {postcode}",
        "บ้านเลขที่ {number} ซอย{word} {place}",
        "{number}/{number} ถนน{word} {place}",
    ),
    places=(
        "กรุงเทพมหานคร",
        "เชียงใหม่",
        "ขอนแก่น",
        "ภูเก็ต",
        "นครราชสีมา",
        "สงขลา",
    ),
    font_packages=("fonts-thai-tlwg", "fonts-noto-core"),
)
