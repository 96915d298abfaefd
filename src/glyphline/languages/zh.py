"""Chinese."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="zh",
    name="Chinese",
    scripts=("Han",),
    split_sentences=sentencex_for("zh"),
    samples=(
        "人人生而自由，在尊严和权利上一律平等。",
        "他们赋有理性和良心，并应以兄弟关系的精神相对待。",
        "他问：“10点45分的火车票要350元吗？”价格涨了3.5%，太贵了！",
    ),
    spaces=False,
    punctuation="，。、；：？！“”‘’（）《》〈〉【】·—…％.,!?:;()'\"-%/",
    addresses=(
        "{place}{word}路{number}号",
        "{place}{word}街{number}号{number}室",
        "{place}{word}大道{number}号，邮编{postcode}",
    ),
    places=(
        "北京市海淀区",
        "上海市黄浦区",
        "广州市天河区",
        "成都市武侯区",
        "西安市碑林区",
        "杭州市西湖区",
    ),
    font_packages=("fonts-noto-cjk",),
)
