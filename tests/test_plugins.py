"""Plug-ins: one new file is one new thing, and a broken one breaks only itself."""

import importlib
import pkgutil
import sys

import pytest

from glyphline import optional, plugins
from glyphline.settings import InputError


@pytest.fixture
def family(tmp_path, monkeypatch):
    """A family of plug-ins of its own with two good ones, a broken one and a private module."""
    package = tmp_path / "made_up_family"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "alpha.py").write_text("NAME = 'alpha'\n")
    (package / "beta.py").write_text("NAME = 'beta'\n")
    (package / "needy.py").write_text("import a_package_that_is_not_installed\n")
    (package / "_inner.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(plugins.FAMILIES, "made-up", "made_up_family")
    yield package
    for name in [name for name in sys.modules if name.startswith("made_up_family")]:
        del sys.modules[name]


def test_the_file_name_is_the_name(family):
    assert plugins.available("made-up") == ["alpha", "beta", "needy"]
    (family / "gamma.py").write_text("NAME = 'gamma'\n")
    importlib.invalidate_caches()
    assert plugins.available("made-up") == ["alpha", "beta", "gamma", "needy"]
    assert plugins.load("made-up", "gamma").NAME == "gamma"


def test_a_broken_plug_in_breaks_only_itself(family):
    assert plugins.load("made-up", "alpha").NAME == "alpha"
    with pytest.raises(InputError, match="made-up 'needy' cannot be imported: .*a_package_that_is_not_installed"):
        plugins.load("made-up", "needy")
    assert plugins.load("made-up", "beta").NAME == "beta"


def test_a_plug_in_that_is_no_python_is_named(family):
    (family / "crooked.py").write_text("def\n")
    with pytest.raises(InputError, match=r"made-up 'crooked' cannot be imported: .*crooked\.py, line 1"):
        plugins.load("made-up", "crooked")


def test_listing_imports_nothing(family):
    plugins.available("made-up")
    assert not [name for name in sys.modules if name.startswith("made_up_family.")]


def test_a_name_that_is_not_there_gets_the_nearest(family):
    with pytest.raises(InputError, match="no made-up called 'alhpa'; did you mean 'alpha'"):
        plugins.load("made-up", "alhpa")
    with pytest.raises(InputError, match="known: alpha, beta, needy"):
        plugins.load("made-up", "zzz")


def test_a_plug_in_of_another_package(family):
    assert plugins.load("language", "made_up_family.beta").NAME == "beta"
    with pytest.raises(InputError, match=r"language 'made_up_family\.nothing' cannot be imported"):
        plugins.load("language", "made_up_family.nothing")


@pytest.mark.parametrize("name", ["", "_inner", "../alpha", "alpha.py"])
def test_names_that_are_no_names(family, name):
    with pytest.raises(InputError):
        plugins.load("made-up", name)


@pytest.mark.parametrize("family", sorted(plugins.FAMILIES))
def test_every_file_of_a_family_is_listed(family):
    package = importlib.import_module(plugins.FAMILIES[family])
    files = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
    assert set(plugins.available(family)) == files


def test_a_missing_extra_says_what_to_install():
    with pytest.raises(InputError, match=r"pip install 'glyphline\[serve\]'"):
        optional.need("a_package_that_is_not_installed", "serve")
    with pytest.raises(InputError, match=r"pip install --no-deps trdg==1\.8\.0"):
        optional.need("a_package_that_is_not_installed", "trdg")
    assert optional.need("json", "serve").dumps([]) == "[]"
