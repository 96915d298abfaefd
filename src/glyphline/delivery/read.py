"""`glyphline read`: pictures of lines -> text."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TextIO

import numpy as np

from glyphline.delivery.pictures import Limits, Picture, expand, load_pictures
from glyphline.records import Reading
from glyphline.settings import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, InputError, JobError, command

logger = logging.getLogger(__name__)

WINDOW = 16
"""Batches in a window: pictures of like width are batched together inside one, output comes a window at a time."""


class Reader(Protocol):
    """What a model has to be able to do; `glyphline.models.load_recogniser` returns one."""

    def read(self, images: Sequence[np.ndarray], mode: str, batch_size: int) -> list[Reading]:
        """Read uint8 pictures `(H, W)` or `(H, W, 3)`, one Reading each, in their order."""


@dataclass(frozen=True)
class ReadSettings:
    """What to read, and with what."""

    images: list[str] = field(default_factory=list)
    """Pictures of single lines of text: files, folders, URLs; `-` takes their names from standard input. Light
    writing on dark paper is read by its negative."""
    model: str = ""
    """Folder of a model or of a training run, a model that ships with glyphline, or a name on the hub (owner/model)."""
    language: str = "ko"
    """Language of the lines: chooses among the models that ship with glyphline where no model is named."""
    device: str = "auto"
    """auto, cpu, cuda, or the number of a CUDA device."""
    format: Literal["text", "jsonl"] = "text"
    """text: the text alone for one picture, path, tab and text in one line for several. jsonl: path, text, confidence,
    mode."""
    mode: str = "auto"
    """Way of reading: auto, or one that the model has: ctc (fast), beam (with the language in mind), decoder."""
    batch_size: int = 16
    """Pictures read at once; halved by itself where memory does not suffice."""
    timeout_s: float = 30.0
    """Longest that a picture may take to arrive from a URL."""
    largest_mb: float = 50.0
    """Largest picture file that is fetched, in millions of bytes."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name in ("batch_size", "timeout_s", "largest_mb"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)}")


@command(
    ReadSettings,
    name="read",
    example="glyphline read line.png\n"
    "glyphline read --model runs/demo/stage2/model line.png\n"
    "glyphline read --model owner/model --format jsonl scans/ https://example.org/line.jpg > lines.jsonl",
    aliases={"--weights": "--model", "--image": "", "--images": ""},
    positional="images",
)
def main(settings: ReadSettings) -> int:
    """Read pictures of lines with a model; print their text in the order given.

    A picture that cannot be read is named on standard error, the others are still read, and the exit status is 1
    (2 where no picture could be read at all).
    """
    if not settings.images:
        raise InputError("no pictures named; give files, folders or URLs")
    paths = expand(settings.images)
    from glyphline.models import load_recogniser, shipped_model

    model = settings.model or shipped_model(settings.language)
    if not settings.model:
        logger.info("reading with %s, which ships with glyphline", model)
    reader = load_recogniser(model, settings.device)
    return write_readings(read_pictures(reader, paths, settings), settings.format, len(paths) > 1, sys.stdout)


def read_pictures(
    reader: Reader, paths: Sequence[str], settings: ReadSettings
) -> Iterator[tuple[str, Reading | Exception]]:
    """Yield path and Reading, or path and what is wrong with the picture, in the order of `paths`."""
    limits = Limits(settings.timeout_s, settings.largest_mb)
    batch_size = settings.batch_size
    for window in load_pictures(paths, limits, settings.batch_size * WINDOW):
        good = [picture.pixels for picture in window if picture.pixels is not None]
        readings, batch_size = _read_within_memory(reader, good, settings.mode, batch_size)
        yield from _in_order(window, readings)


def _in_order(window: Sequence[Picture], readings: Sequence[Reading]) -> Iterator[tuple[str, Reading | Exception]]:
    rest = iter(readings)
    for picture in window:
        yield picture.path, picture.error or next(rest)


def _read_within_memory(
    reader: Reader, pictures: Sequence[np.ndarray], mode: str, batch_size: int
) -> tuple[list[Reading], int]:
    """Read pictures, halving the batch while memory does not suffice; return the batch that did, too."""
    import torch

    while pictures:
        try:
            return reader.read(pictures, mode=mode, batch_size=batch_size), batch_size
        except torch.OutOfMemoryError as error:
            if batch_size == 1:
                raise JobError("not enough memory on the device for a single picture; try --device cpu") from error
            batch_size //= 2
            torch.cuda.empty_cache()
            logger.warning("not enough memory on the device: going on with batches of %d", batch_size)
    return [], batch_size


def write_readings(
    results: Iterator[tuple[str, Reading | Exception]], format: Literal["text", "jsonl"], many: bool, sink: TextIO
) -> int:
    """Write readings as they come, a line each; name on standard error what could not be read. Return the status."""
    read, unread, unusable = 0, 0, 0
    for path, result in results:
        if isinstance(result, Exception):
            unread += 1
            unusable += isinstance(result, InputError)
            sys.stderr.write(f"glyphline read: error: {_reason(path, result)}\n")
            row = json.dumps({"path": path, "error": _reason(path, result)}, ensure_ascii=False)
        else:
            read += 1
            row = _row(path, result, format, many)
        if format == "jsonl" or not isinstance(result, Exception):
            sink.write(row + "\n")
            sink.flush()
    if unread:
        return EXIT_USAGE if not read and unusable == unread else EXIT_FAILED
    return EXIT_DONE


def _row(path: str, reading: Reading, format: str, many: bool) -> str:
    if format == "text":
        lines = [" ".join(line.split()) for line in reading.text.splitlines()]
        return f"{path}\t{' '.join(lines)}" if many else "\n".join(lines)
    row = {"path": path, "text": reading.text, "confidence": round(reading.confidence, 4), "mode": reading.mode}
    return json.dumps(row, ensure_ascii=False)


def _reason(path: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    return said if path in said else f"{path}: {said}"
