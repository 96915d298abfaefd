"""Extras: one wording for a package that is not installed."""

from __future__ import annotations

import importlib
from types import ModuleType

from glyphline.settings import InputError


def need(module: str, extra: str) -> ModuleType:
    """Import `module`, or raise InputError that says which extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        remedy = f"pip install 'glyphline[{extra}]'"
        if extra == "trdg":
            remedy = "pip install --no-deps trdg==1.8.0"
        raise InputError(f"{module} is not installed ({error}): {remedy}") from error
