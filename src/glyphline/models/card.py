"""glyphline.json: what a model folder says about itself, beside the standard transformers files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from glyphline.models.canvas import Canvas
from glyphline.settings import InputError
from glyphline.text import TextRules

CARD = "glyphline.json"
LANGUAGE = "language.safetensors"
"""Where a model's n-grams lie."""
VERSION = 1


@dataclass
class Card:
    """Everything that reading, scoring and publishing need to know and that config.json has no place for."""

    family: str
    canvas: Canvas
    max_length: int
    """Tokens of a line with its end token: the one limit of labels, validation and reading."""
    charset: str = ""
    """The characters of the CTC head, in the order of its outputs 1, 2, …; output 0 is the blank."""
    rules: TextRules = field(default_factory=TextRules)
    languages: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    """The family's own settings, as built."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The training settings, stage by stage."""
    data: dict[str, Any] = field(default_factory=dict)
    """Hashes, counts and credits of what it was trained and validated on."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """What was measured, by data set."""
    version: int = VERSION

    def write(self, folder: str | Path) -> None:
        """Write glyphline.json into a model folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        (Path(folder) / CARD).write_text(text, encoding="utf-8")


def read_card(folder: str | Path) -> Card | None:
    """Read a model folder's card; None where it has none. InputError names file and field where it is damaged."""
    path = Path(folder) / CARD
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("version", 0) > VERSION:
            raise InputError(f"{path}: version {content['version']} is newer than this glyphline; upgrade it")
        unknown = set(content) - {item.name for item in fields(Card)}
        if unknown:
            raise InputError(f"{path}: unknown field {sorted(unknown)[0]!r}")
        content["canvas"] = Canvas(**content["canvas"])
        content["rules"] = TextRules(**content["rules"])
        return Card(**content)
    except (ValueError, KeyError, TypeError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: damaged ({error})") from error
