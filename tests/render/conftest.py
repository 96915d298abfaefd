from pathlib import Path

import pytest

from glyphline.records import TextLine
from glyphline.render.line import load_recipe

FONTS = str(Path(__file__).parents[2] / "demo" / "fonts")

KOREAN = (
    "내일 아침 일찍 출발하자.",
    "값이 3,500원이면 싸다!",
    "우리는 밤새 이야기했다",
    "정말 재미있는 영화 (2019)",
    "OK, 알겠습니다…",
    "ㅋㅋ 웃기다 ㅠㅠ",
    "흙냄새가 났다",
    "닭과 삶",
)
FRENCH = ("Où est la forêt ?", "L'été dernier, à Nîmes", "Ça va très bien.", "Le cœur de la ville", "Garçon, un café")


@pytest.fixture(scope="session")
def fonts():
    return FONTS


@pytest.fixture(scope="session")
def texts():
    korean = [TextLine(f"ko{n}", text, "ko", "test", "train") for n, text in enumerate(KOREAN)]
    french = [TextLine(f"fr{n}", text, "fr", "test", "train") for n, text in enumerate(FRENCH)]
    return korean + french


@pytest.fixture
def recipe():
    def make(preset="clean", **overrides):
        return load_recipe(preset, {"fonts": {"folders": [FONTS]}} | overrides)

    return make


@pytest.fixture
def lines_file(tmp_path):
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(KOREAN) + "\n", encoding="utf-8")
    return str(file)
