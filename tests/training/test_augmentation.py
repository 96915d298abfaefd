"""Augmentation: fresh at every position, the same at the same one, by our own effects and by albumentations."""

import json
import pickle

import numpy as np
import pytest
from lines import bar_code, write_lines

from glyphline.seeds import rng
from glyphline.settings import InputError
from glyphline.training.augmentation import augmented
from glyphline.training.data import StoredLines


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    library = pytest.importorskip("albumentations")
    path = tmp_path_factory.mktemp("pipeline") / "mine.yaml"
    chain = library.Compose([library.Affine(rotate=(-4, 4), fill=250, p=1), library.GaussNoise(p=1)])
    library.save(chain, path, data_format="yaml")
    return f"albumentations:{path}"


def names(pipeline):
    return ("augment", pipeline)


def test_the_generator_decides(pipeline):
    image = bar_code("가나다라")
    for name in names(pipeline):
        first, again, other = (augmented(image, name, rng(seed, "x")) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not (first.shape == other.shape and np.array_equal(first, other))
        assert first.dtype == np.uint8


def test_items_are_augmented_afresh_each_pass_and_the_same_in_any_process(tmp_path, pipeline):
    folder = write_lines(tmp_path / "lines", train=3)
    for name in names(pipeline):
        source = StoredLines(folder, "train", 1, augment=name)
        twin = pickle.loads(pickle.dumps(source))
        images = [source.item(position)[0] for position in range(9)]
        assert len({image.tobytes() for image in images}) == 9
        assert all(np.array_equal(twin.item(p)[0], images[p]) for p in reversed(range(9)))


def test_what_is_no_pipeline_is_an_error(tmp_path):
    pytest.importorskip("albumentations")
    (tmp_path / "wrong.json").write_text(json.dumps({"transform": 1}))
    with pytest.raises(InputError, match=r"wrong\.json is no pipeline"):
        augmented(bar_code("가"), f"albumentations:{tmp_path / 'wrong.json'}", rng(1))
    with pytest.raises(InputError, match="no preset called 'augmnt'"):
        augmented(bar_code("가"), "augmnt", rng(1))
