"""One file a source: `corpus/sources/<name>.py` holds `SOURCE`, and nothing else has to change.

A source turns its files into documents: `read(settings, files)` yields texts in a fixed order, and a `Drop` for an
item that holds no text. Normalising, cutting, filtering and splitting are not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from glyphline.records import Drop

if TYPE_CHECKING:
    from glyphline.corpus.files import Files

PersonalData = Literal["source", "keep", "mask", "drop"]


@dataclass
class SourceSettings:
    """What every source takes."""

    source: str
    """The kind of source: the name of a file in corpus/sources."""
    path: str | list[str] = field(default_factory=list)
    """Files, folders, patterns or addresses (http://, s3://, …)."""
    language: str = ""
    """Language of the texts; empty: the corpus's own."""
    licence: str = ""
    """Licence of the texts, credited in SOURCES.md; empty: the one that the source declares."""
    address: str = ""
    """Where the texts come from, credited in SOURCES.md; empty: the one that the source declares."""
    sha256: str = ""
    """Expected checksum of a single file, for downloads."""
    personal_data: PersonalData = "source"
    """E-mail addresses, phone and resident numbers: keep, mask with *, or drop the line; source: its own default."""
    keep_whole_below: int = 0
    """Documents shorter than this many graphemes are one line and are not cut into sentences."""
    detokenise: bool = False
    """Close the spaces in front of punctuation, for texts that are published cut into words."""
    min_graphemes: int = 0
    """Shortest line of this source; 0: the corpus's own."""
    limit: int = 0
    """Stop after this many documents; 0: read all."""

    def __post_init__(self) -> None:
        if min(self.keep_whole_below, self.min_graphemes, self.limit) < 0:
            raise ValueError("keep_whole_below, min_graphemes and limit must be 0 or more")

    @property
    def paths(self) -> list[str]:
        """The paths as a list."""
        return [self.path] if isinstance(self.path, str) else list(self.path)


Reader = Callable[[SourceSettings, "Files"], Iterator[str | Drop]]


@dataclass(frozen=True)
class Source:
    """What a source's file declares."""

    settings: type[SourceSettings]
    """Its settings, checked key by key."""
    read: Reader
    """Yields documents, and drops for items without text."""
    licence: str = ""
    """Licence of the texts where the source has one."""
    address: str = ""
    """Where the texts come from."""
    suffixes: tuple[str, ...] = ()
    """File endings taken from a folder, compression apart; empty: all files."""
    language: str = ""
    """Language of the texts where the source has one."""
    personal_data: PersonalData = "keep"
    """What is done with e-mail addresses, phone and resident numbers unless the settings say otherwise."""
    needs_path: bool = True
    """Whether `path` must be given."""
    clean: Callable[[str], str] | None = None
    """Heavy work on a document, done in the worker processes before anything else."""
    version: Callable[[Any], str] | None = None
    """Says which version of remote texts the settings mean, where that is not in the files' checksums."""
    folder: str = ""
    """Field that may name a local folder in place of a remote name: its files are checksummed."""
