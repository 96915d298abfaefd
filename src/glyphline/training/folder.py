"""A run's folder: begun under its settings, resumed from its last whole checkpoint, continued in a new one."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

from glyphline.settings import InputError, identity
from glyphline.training.settings import TrainSettings

logger = logging.getLogger(__name__)

BEGUN, DONE = "settings.json", "result.json"
"""Files that mark a folder as a run that was begun, and as one that is finished."""


def open_run(settings: TrainSettings) -> tuple[Path, Path | None]:
    """Return the run's folder and the checkpoint to go on from. InputError where they do not fit the settings."""
    folder = Path(settings.output)
    if settings.continue_from:
        folder = _numbered(folder)
        return _begin(settings, folder), _adopt(Path(settings.continue_from), folder)
    begun = folder / BEGUN
    if not begun.exists():
        if folder.exists() and any(not entry.name.endswith(".log") for entry in folder.iterdir()):
            raise InputError(f"{folder}: not empty and not a training run; name another folder")
        return _begin(settings, folder), None
    _same_settings(folder, json.loads(begun.read_text(encoding="utf-8")), plain_identity(settings))
    if (folder / DONE).exists():
        return folder, None
    if not settings.resume:
        raise InputError(f"{folder}: holds an unfinished run; add --resume to go on or name another folder")
    return _begin(settings, folder), last_checkpoint(folder / "checkpoints")


def plain_identity(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that shape a run, as JSON keeps them."""
    return json.loads(json.dumps(identity(settings)))


def _same_settings(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    from glyphline.manifest import differing_keys

    keys = differing_keys(before, now)
    if keys:
        raise InputError(f"{folder}: trained under other settings: {keys}; name another folder, or delete this one")


def _begin(settings: TrainSettings, folder: Path) -> Path:
    from glyphline.manifest import Storage, log_to, pretty

    Storage(str(folder)).write(BEGUN, pretty(plain_identity(settings)).encode())
    log_to(Storage(str(folder)), "train")
    return folder


def _numbered(folder: Path) -> Path:
    """Return the first of folder, folder-2, folder-3 … that is not there."""
    number = 1
    while (candidate := folder if number == 1 else folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return candidate


def _adopt(old: Path, folder: Path) -> Path:
    """Copy another run's last checkpoint, and the best one that it may return to, into this one."""
    checkpoint = last_checkpoint(old / "checkpoints")
    if checkpoint is None:
        raise InputError(f"{old}: no whole checkpoint to continue from")
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    best = checkpoint.with_name(f"checkpoint-{state['best_global_step']}")
    for source in {checkpoint, best}:
        if source.exists():
            shutil.copytree(source, folder / "checkpoints" / source.name)
    return folder / "checkpoints" / checkpoint.name


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint; one that a kill left half-written is removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]), reverse=True)
    for checkpoint in found:
        try:  # trainer_state.json is written last
            json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
            return checkpoint
        except (OSError, ValueError):
            logger.warning("%s: half-written, removed", checkpoint)
            shutil.rmtree(checkpoint)
    return None
