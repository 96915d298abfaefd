"""A column of a Hugging Face data set, by hub name or local folder, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from glyphline.corpus.files import Files
from glyphline.corpus.sources import Source, SourceSettings
from glyphline.records import Drop
from glyphline.settings import InputError, JobError, suggest


@dataclass
class HubDataset(SourceSettings):
    """Settings of the source."""

    name: str = ""
    """Name on the hub, such as daekeun-ml/naver-news-summarization-ko, or a folder in the layout of one."""
    subset: str = ""
    """Configuration of the data set, where it has several."""
    split: str = "train"
    """Split to read; `all` reads every one."""
    column: str = "text"
    """Column with the text."""
    revision: str = ""
    """Commit, tag or branch; a commit makes the corpus repeatable."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name:
            raise ValueError("name must be given: the data set's name on the hub or a folder")


def read(settings: HubDataset, files: Files) -> Iterator[str | Drop]:
    """Yield the column of the split's rows in order."""
    for split, rows in _splits(settings):
        known = list(rows.column_names or [])
        if known and settings.column not in known:
            raise InputError(f"{settings.name}: no column {settings.column!r}{suggest(settings.column, known)}")
        try:
            for number, row in enumerate(rows):
                value = row.get(settings.column)
                if isinstance(value, str) and value.strip():
                    yield value
                else:
                    yield Drop("missing_field" if value is None else "empty", f"{split}#{number}", settings.column)
        except (OSError, ConnectionError) as error:
            raise JobError(f"{settings.name}: reading broke off ({error}); the same command goes on") from error


def _splits(settings: HubDataset) -> list[tuple[str, Any]]:
    """Open the data set for streaming. InputError where the name, subset or split is not there."""
    from datasets import load_dataset

    try:
        opened = load_dataset(
            settings.name, settings.subset or None, revision=settings.revision or None, streaming=True
        )
    except (ValueError, FileNotFoundError) as error:
        raise InputError(f"{settings.name}: {str(error).splitlines()[0]}") from error
    except (OSError, ConnectionError, RuntimeError) as error:
        raise JobError(f"{settings.name}: cannot be reached ({str(error).splitlines()[0]})") from error
    chosen = list(opened) if settings.split == "all" else [settings.split]
    if chosen[0] not in opened:
        raise InputError(f"{settings.name}: no split {chosen[0]!r}{suggest(chosen[0], list(opened))}")
    return [
        (split, opened[split].select_columns(settings.column) if _has(opened[split], settings) else opened[split])
        for split in chosen
    ]


def _has(rows: Any, settings: HubDataset) -> bool:  # noqa: ANN401
    """Tell whether the column is known before reading: then the other columns need not be decoded."""
    return settings.column in (rows.column_names or [])


def version(settings: HubDataset) -> str:
    """Return the commit of a hub data set, so that the corpus is made anew when it changed; a folder has none."""
    from pathlib import Path

    if Path(settings.name).exists():
        return ""
    from huggingface_hub import HfApi

    try:
        return HfApi().dataset_info(settings.name, revision=settings.revision or None, timeout=30).sha or ""
    except Exception as error:
        raise JobError(f"{settings.name}: cannot be reached ({str(error).splitlines()[0]})") from error


SOURCE = Source(HubDataset, read, needs_path=False, version=version, folder="name")
