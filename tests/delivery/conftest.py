"""The tiny model, made once, and pictures in a folder."""

import cv2
import pytest
from tiny_model import line_picture, make_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="session")
def squash_folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("squash") / "model", "squash")


@pytest.fixture
def pictures(tmp_path):
    """Twelve pictures in a folder, whose natural order is their number."""
    folder = tmp_path / "lines"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"line {number}.png"), line_picture(number))
    return folder
