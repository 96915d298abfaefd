"""What every handwriting reader promises; a new file in handwriting/readers is covered without an edit."""

import ast
import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from glyphline import plugins
from glyphline.handwriting.raw import RawLine
from glyphline.records import Drop
from glyphline.settings import InputError, build

sys.path.insert(0, str(Path(__file__).parent.parent / "handwriting"))
import layouts  # noqa: E402

READERS = plugins.available("reader")


@pytest.mark.parametrize("name", READERS)
def test_settings_are_a_documented_dataclass_with_a_root(name):
    module = plugins.load("reader", name)
    assert module.__doc__
    fields = dataclasses.fields(module.Settings)
    assert fields[0].name == "root"
    described = set()
    for cls in module.Settings.__mro__[:-1]:
        tree = ast.parse(Path(sys.modules[cls.__module__].__file__).read_text(encoding="utf-8"))
        body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == cls.__name__)
        for field, doc in zip(body, body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr):
                described.add(field.target.id)
    assert {field.name for field in fields} <= described


@pytest.mark.parametrize("name", READERS)
def test_a_missing_or_empty_folder_is_refused_in_one_line(name, tmp_path):
    module = plugins.load("reader", name)
    (tmp_path / "empty").mkdir()
    for root in ("", str(tmp_path / "nowhere"), str(tmp_path / "empty")):
        with pytest.raises(InputError) as error:
            list(module.samples(build(module.Settings, {"root": root}, "test")))
        assert "\n" not in str(error.value)
        assert root in str(error.value)


@pytest.mark.parametrize("name", READERS)
def test_a_set_in_its_layout_is_read_the_same_each_time(name, tmp_path):
    if name not in layouts.BUILDERS:
        pytest.skip("no small set of this layout in tests/handwriting/layouts.py")
    module = plugins.load("reader", name)
    settings = build(module.Settings, {"root": str(layouts.build(name, tmp_path / "set"))}, "test")
    first, second = list(module.samples(settings)), list(module.samples(settings))
    assert first == second
    lines = [item for item in first if isinstance(item, RawLine)]
    assert lines
    assert len({line.id for line in lines}) == len(lines)
    assert all(isinstance(item, RawLine | Drop) for item in first)
    for line in lines:
        image = line.picture.load()
        assert image.dtype == np.uint8
        assert image.ndim in (2, 3)
        assert min(image.shape[:2]) > 4
        assert line.text
        assert line.group
        assert line.split in ("", "train", "validation", "test")
        assert str(tmp_path) not in line.id + line.group + str(line.provenance)


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_breaks_nothing_else(name, tmp_path):
    """A truncated picture or XML beside good ones is a drop or an unreadable line, never the end of the set."""
    if name not in layouts.BUILDERS:
        pytest.skip("no small set of this layout in tests/handwriting/layouts.py")
    module = plugins.load("reader", name)
    root = layouts.build(name, tmp_path / "set")
    (root / "zz_broken.xml").write_text("<alto><unclosed")
    (root / "zz_broken.parquet").write_bytes(b"PAR1 no")
    items = list(module.samples(build(module.Settings, {"root": str(root)}, "test")))
    assert any(item.picture.load().size for item in items if isinstance(item, RawLine))
