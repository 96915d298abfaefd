"""Where the pictures to read come from: files, folders, URLs, a list on standard input."""

from __future__ import annotations

import http.client
import re
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from glyphline import __version__, images
from glyphline.settings import InputError, JobError

MEGABYTE = 1_000_000
LOADERS = 4
"""Threads that load pictures while the model reads: enough to hide a disk or a server."""


@dataclass(frozen=True)
class Limits:
    """What is still fetched from elsewhere."""

    timeout_s: float = 30.0
    """Longest that one picture may take to arrive."""
    largest_mb: float = 50.0
    """Largest file, in millions of bytes."""


@dataclass(frozen=True)
class Picture:
    """A picture as it was named, its pixels or why there are none."""

    path: str
    pixels: np.ndarray | None = None
    error: Exception | None = None


def expand(names: Sequence[str]) -> list[str]:
    """Return every picture that the names stand for, in their order.

    A folder stands for the pictures in it and below, in natural order (2 before 10); `-` for the lines of standard
    input. InputError for a folder without pictures.
    """
    found: list[str] = []
    for name in names:
        if name == "-":
            found += expand([line.strip() for line in sys.stdin if line.strip() not in ("", "-")])
        elif "://" not in name and Path(name).is_dir():
            found += _pictures_in(Path(name))
        else:
            found.append(name)
    return found


def _pictures_in(folder: Path) -> list[str]:
    from PIL import Image

    known = {ending for ending, format in Image.registered_extensions().items() if format in Image.OPEN}
    inside = [path for path in folder.rglob("*") if path.suffix.lower() in known - {".pdf"} and path.is_file()]
    if not inside:
        remedy = "; lines in Parquet are read by glyphline score" if list(folder.glob("*.parquet")) else ""
        raise InputError(f"{folder}: no pictures in this folder{remedy}")
    return [str(path) for path in sorted(inside, key=lambda path: _natural(str(path)))]


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key under which numbers stand in the order of their values."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def fetch(name: str, limits: Limits) -> np.ndarray:
    """Load the picture that a path or URL names, uint8 `(H, W)` or `(H, W, 3)`.

    InputError names it where it is missing, damaged or too large; JobError where a server fails or is too slow.
    """
    if name.startswith(("http://", "https://")):
        return images.load(_download(name, limits), name)
    if "://" in name:
        return images.load(_open_elsewhere(name, limits), name)
    return images.load(name)


def _download(url: str, limits: Limits) -> bytes:
    """Return what a web address holds, within the limits of time and size."""
    request = urllib.request.Request(url, headers={"User-Agent": f"glyphline/{__version__}"})
    deadline = time.monotonic() + limits.timeout_s
    parts: list[bytes] = []
    try:
        with urllib.request.urlopen(request, timeout=limits.timeout_s) as answer:
            while part := answer.read1(1 << 16):
                parts.append(part)
                _check_size(url, sum(map(len, parts)), limits)
                if time.monotonic() > deadline:
                    raise TimeoutError
    except urllib.error.HTTPError as error:
        kind = JobError if error.code >= 500 or error.code == 429 else InputError
        raise kind(f"{url}: the server answers {error.code} {error.reason}") from error
    except TimeoutError as error:
        raise JobError(f"{url}: took more than {limits.timeout_s:g} s; see --timeout_s") from error
    except urllib.error.URLError as error:
        slow = isinstance(error.reason, TimeoutError)
        said = f"took more than {limits.timeout_s:g} s; see --timeout_s" if slow else f"not reached ({error.reason})"
        raise JobError(f"{url}: {said}") from error
    except (OSError, http.client.HTTPException) as error:
        raise JobError(f"{url}: not reached ({error})") from error
    return b"".join(parts)


def _check_size(name: str, size: int, limits: Limits) -> None:
    if size > limits.largest_mb * MEGABYTE:
        raise InputError(f"{name}: larger than {limits.largest_mb:g} MB; see --largest_mb")


def _open_elsewhere(name: str, limits: Limits) -> bytes:
    """Return the bytes behind an address of another kind (`s3://`, `hf://`, `file://` …) by fsspec."""
    import fsspec

    try:
        with fsspec.open(name, "rb") as handle:
            data = handle.read(int(limits.largest_mb * MEGABYTE) + 1)
    except FileNotFoundError as error:
        raise InputError(f"{name}: no such file") from error
    except (ValueError, ImportError) as error:
        raise InputError(f"{name}: cannot be opened ({error})") from error
    except Exception as error:  # each file system has errors of its own
        raise JobError(f"{name}: not reached ({type(error).__name__}: {error})") from error
    _check_size(name, len(data), limits)
    return data


def load_pictures(names: Iterable[str], limits: Limits, window: int) -> Iterator[list[Picture]]:
    """Yield the pictures in order, `window` at a time; the next window loads while one is worked on."""
    rest = iter(names)
    pool = ThreadPoolExecutor(LOADERS, thread_name_prefix="picture")
    begun: deque[list[Future[Picture]]] = deque()
    try:
        while chunk := list(islice(rest, window)):
            begun.append([pool.submit(_load, name, limits) for name in chunk])
            if len(begun) == 2:
                yield [future.result() for future in begun.popleft()]
        while begun:
            yield [future.result() for future in begun.popleft()]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _load(name: str, limits: Limits) -> Picture:
    try:
        return Picture(name, fetch(name, limits))
    except (InputError, JobError, OSError) as error:
        return Picture(name, error=error)
