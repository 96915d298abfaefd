"""Plug-ins: the file's name is the plug-in's name, and a broken one breaks only itself."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from types import ModuleType

from glyphline.settings import InputError

FAMILIES = {
    "language": "glyphline.languages",
    "source": "glyphline.corpus.sources",
    "engine": "glyphline.render.engines",
    "effect": "glyphline.render.effects",
    "layout": "glyphline.render.layouts",
    "executor": "glyphline.render.executors",
    "reader": "glyphline.handwriting.readers",
    "family": "glyphline.models.families",
}


def available(family: str) -> list[str]:
    """Return the names of the plug-ins of `family`, sorted, without importing any of them."""
    package = importlib.import_module(FAMILIES[family])
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))


def load(family: str, name: str) -> ModuleType:
    """Import the plug-in `name`; a dotted name is a module of somebody else's package. InputError if there is none."""
    known = available(family)
    is_dotted = "." in name and all(part.isidentifier() for part in name.split("."))
    if not is_dotted and name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ";"
        raise InputError(f"no {family} called {name!r}{hint} known: {', '.join(known)}")
    target = name if is_dotted else f"{FAMILIES[family]}.{name}"
    try:
        return importlib.import_module(target)
    except (ImportError, SyntaxError) as error:
        raise InputError(f"{family} {name!r} cannot be imported: {error}") from error
