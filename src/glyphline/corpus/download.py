"""Files from elsewhere: cached, resumed where a transfer broke off, and checksummed.

The cache is $GLYPHLINE_CACHE, or glyphline in the user's cache folder. A finished file is used as it is, without the
network; delete it to fetch it anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from glyphline.settings import InputError, JobError

log = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 20
ATTEMPTS = 5
TIMEOUT_S = 60


def is_remote(path: str) -> bool:
    """Tell whether a path is an address of another machine or store (http://, s3://, …)."""
    return re.match(r"[a-z][a-z0-9+.-]+://", path) is not None and not path.startswith("file://")


def cache_folder() -> Path:
    """Return the folder that keeps what was fetched."""
    chosen = os.environ.get("GLYPHLINE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else base / "glyphline"


def local_copy(url: str) -> str:
    """Return the path of a local copy of `url`, fetched now or before. The file's name and ending stay.

    InputError where there is nothing at the address; JobError where it cannot be fetched after some attempts.
    """
    name = re.sub(r"[^\w.-]", "_", url.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]) or "file"
    folder = cache_folder() / "downloads" / hashlib.sha256(url.encode()).hexdigest()[:16]
    target, sums = folder / name, folder / f"{name}.sha256"
    if target.exists() and sums.exists() and _sha256(target) == sums.read_text().strip():
        return str(target)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    log.info("fetching %s", url)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch(url, part, folder / f"{name}.version")
            break
        except (OSError, http.client.HTTPException) as error:
            _refuse(url, error)
            if attempt == ATTEMPTS:
                raise JobError(f"{url}: cannot be fetched ({error}); the same command goes on from here") from error
            time.sleep(min(2**attempt, 30) * float(os.environ.get("GLYPHLINE_RETRY_S", "1")))
    sums.write_text(_sha256(part) + "\n")
    part.replace(target)
    return str(target)


def _refuse(url: str, error: Exception) -> None:
    """Raise InputError where trying again is of no use."""
    missing = isinstance(error, FileNotFoundError)
    if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in (408, 416, 429):
        missing = True
    if missing:
        raise InputError(f"{url}: {error}; check the address") from error


def _fetch(url: str, part: Path, version: Path) -> None:
    """Add to `part` what is missing of it. Begins anew where the remote file is another than the one begun."""
    if not url.startswith(("http://", "https://")):
        _fetch_store(url, part, version)
        return
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "glyphline"})
    if have and version.exists():
        request.add_header("Range", f"bytes={have}-")
        # The server sends the whole file again if it is not the one that was begun.
        request.add_header("If-Range", version.read_text().strip())
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            # Nothing lies behind what is here: it is whole already, or it was never the same file.
            part.unlink(missing_ok=True)
        raise
    with response:
        resumed = response.status == 206
        if not resumed:
            _note_version(response.headers.get("ETag") or response.headers.get("Last-Modified"), version)
        length = response.headers.get("Content-Length")
        _append(part, response, have if resumed else 0, int(length) if length else None)


def _note_version(value: str | None, version: Path) -> None:
    """Remember which version of the remote file was begun. A weak ETag does not promise equal bytes, so no resuming."""
    if value and not value.startswith("W/"):
        version.write_text(value)
    else:
        version.unlink(missing_ok=True)


def _append(part: Path, stream: IO[bytes], start: int, length: int | None) -> None:
    """Write a stream into `part` from byte `start`. OSError where it ends before `length`."""
    got = 0
    with part.open("r+b" if start else "wb") as handle:
        handle.seek(start)
        for block in _blocks(stream):
            handle.write(block)
            got += len(block)
        handle.truncate()
        handle.flush()
        os.fsync(handle.fileno())
    if length is not None and got < length:
        raise OSError(f"the transfer broke off after {start + got} bytes")


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    with contextlib.suppress(http.client.IncompleteRead):
        while block := stream.read(BLOCK_BYTES):
            yield block


def _fetch_store(url: str, part: Path, version: Path) -> None:
    """Fetch from any store that fsspec knows (s3://, gs://, hf://, memory://, …)."""
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    info = files.info(path)
    state = str([info.get(key) for key in ("size", "ETag", "etag", "mtime", "LastModified", "created")])
    have = part.stat().st_size if part.exists() and version.exists() and version.read_text() == state else 0
    version.write_text(state)
    with files.open(path, "rb") as stream:
        stream.seek(have)
        _append(part, stream, have, info["size"] - have if info.get("size") is not None else None)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
