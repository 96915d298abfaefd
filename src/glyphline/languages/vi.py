"""Vietnamese."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="vi",
    name="Vietnamese",
    scripts=("Latin",),
    split_sentences=sentencex_for("vi"),
    samples=(
        "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền.",
        "Mọi con người đều được tạo hoá ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình anh em.",
        "Chuyến tàu lúc 10:45 giá 350.000 đồng, phải không? Đắt quá!",
    ),
    punctuation=".,!?:;()'\"-“”‘’–—…%/&",
    addresses=(
        "{number} đường {word}, {place}",
        "Số {number}, phố {word}, {place}",
        "Số {number}, ngõ {word}, {place}",
    ),
    places=(
        "Hà Nội",
        "Thành phố Hồ Chí Minh",
        "Đà Nẵng",
        "Huế",
        "Hải Phòng",
        "Cần Thơ",
    ),
    font_packages=("fonts-noto-core",),
)
