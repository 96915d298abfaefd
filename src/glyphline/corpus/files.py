"""Opening what a source reads: local or remote, plain or compressed, counted for the progress bar."""

from __future__ import annotations

import codecs
import hashlib
import io
import lzma
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from glyphline.corpus.download import is_remote, local_copy
from glyphline.records import Drop
from glyphline.settings import InputError

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
LONGEST_LINE_BYTES = 1 << 20


class Files:
    """The files of one source, in a fixed order; what has been read of them is counted in `bytes_read`."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = list(paths)
        self.bytes_read = 0
        self.current = ""
        self._opened: set[str] = set()

    def binary(self, path: str) -> IO[bytes]:
        """Open a file for reading, decompressed by its ending. InputError where it is missing or not a file."""
        self.current = path
        try:
            raw = Path(path).open("rb")  # noqa: SIM115 - closed with the stream around it
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        # A file that is read twice (one column, then another) counts once, so that the progress ends at 100 %.
        counted = raw if path in self._opened else io.BufferedReader(_Counted(raw, self))
        self._opened.add(path)
        return io.BufferedReader(_Guarded(_decompress(counted, path), path), 1 << 18)

    def whole(self, path: str) -> str:
        """Return the path for a reader that opens files itself; all of its bytes count as read."""
        self.current = path
        if path not in self._opened:
            self.bytes_read += Path(path).stat().st_size
        self._opened.add(path)
        return path

    def text(self, path: str, encoding: str) -> io.TextIOWrapper:
        """Open a file as text, a byte-order mark skipped. A byte that does not decode raises UnicodeDecodeError."""
        return io.TextIOWrapper(self.binary(path), encoding=_codec(encoding), newline="")

    def lines(self, path: str, encoding: str) -> Iterator[str | Drop]:
        """Yield a file's lines without their ends; a line that does not decode is a Drop.

        InputError where already the first line beyond ASCII does not decode: then the encoding is wrong.
        """
        name = _codec(encoding)
        if name.startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
            yield from (line.rstrip("\r\n") for line in self.text(path, encoding))
            return
        with self.binary(path) as handle:
            beyond_ascii = False
            for number, line in enumerate(_lines(handle), 1):
                try:
                    text = line.decode(name if number == 1 else encoding)
                except UnicodeDecodeError as error:
                    if not beyond_ascii:
                        raise InputError(wrong_encoding(path, encoding, error)) from error
                    yield Drop("undecodable", f"{path}:{number}", f"byte {error.start} is not {encoding}")
                    continue
                beyond_ascii = beyond_ascii or not line.isascii()
                yield text.rstrip("\r\n")


def _codec(encoding: str) -> str:
    """Return the codec to open with; plain UTF-8 becomes the one that skips a byte-order mark."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(f"encoding {encoding!r} is unknown; utf-8, cp949, latin-1, … are known") from error
    return "utf-8-sig" if name == "utf-8" else name


def wrong_encoding(path: str, encoding: str, error: UnicodeDecodeError) -> str:
    """Say that a file is in another encoding, with the likely one."""
    sample = error.object[max(0, error.start - 200) : error.start + 200]
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        likely = "utf-16"
    else:
        likely = next((name for name in ("utf-8", "cp949", "latin-1") if name != encoding and _fits(sample, name)), "")
    return f"{path}: byte {error.start} is not {encoding}; set the source's encoding, perhaps {likely or 'latin-1'}"


def _fits(sample: bytes, encoding: str) -> bool:
    """Tell whether bytes decode, give or take a character cut at either end."""
    for start in range(3):
        for end in (len(sample), len(sample) - 1):
            try:
                sample[start:end].decode(encoding)
                return True
            except UnicodeDecodeError:
                continue
    return False


def _lines(handle: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; one longer than LONGEST_LINE_BYTES comes in pieces cut at spaces, so that memory stays bounded."""
    rest = b""
    while piece := handle.readline(LONGEST_LINE_BYTES):
        piece, rest = rest + piece, b""
        if len(piece) >= LONGEST_LINE_BYTES and not piece.endswith(b"\n"):
            head, space, tail = piece.rpartition(b" ")
            if space and len(tail) < LONGEST_LINE_BYTES // 2:
                piece, rest = head, tail
        yield piece
    if rest:
        yield rest


class _Counted(io.RawIOBase):
    """A raw stream that adds what is read to its owner's count."""

    def __init__(self, raw: IO[bytes], owner: Files) -> None:
        self.raw_stream, self.owner = raw, owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self.raw_stream.read(len(buffer))
        buffer[: len(data)] = data
        self.owner.bytes_read += len(data)
        return len(data)

    def close(self) -> None:
        self.raw_stream.close()
        super().close()


class _Guarded(io.RawIOBase):
    """A stream whose damage becomes an InputError that names the file."""

    def __init__(self, stream: IO[bytes], path: str) -> None:
        self.stream, self.path = stream, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        try:
            data = self.stream.read(len(buffer))
        except (EOFError, OSError, lzma.LZMAError, zlib.error, *_zstd_errors()) as error:
            raise InputError(f"{self.path}: truncated or damaged ({error}); fetch it again") from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.stream.close()
        super().close()


class _Zstandard(io.RawIOBase):
    """Decompresses Zstandard frames that follow one another; the library's own reader is silent about a cut file."""

    def __init__(self, stream: IO[bytes], decompressor: Any) -> None:  # noqa: ANN401
        self.stream, self.decompressor = stream, decompressor
        self.frame: Any = None
        self.ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        while not self.ready:
            data = self.stream.read(1 << 16)
            if not data:
                if self.frame is not None:
                    raise EOFError("ends inside a frame")
                return 0
            while data:
                self.frame = self.frame or self.decompressor.decompressobj()
                self.ready += self.frame.decompress(data)
                data = self.frame.unused_data
                self.frame = None if self.frame.eof else self.frame
        taken = self.ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self.ready = self.ready[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self.stream.close()
        super().close()


def _zstd_errors() -> tuple[type[Exception], ...]:
    import sys

    module = sys.modules.get("zstandard")
    return (module.ZstdError,) if module else ()


def _decompress(stream: IO[bytes], path: str) -> IO[bytes]:
    """Return the decompressed stream, by the path's ending."""
    ending = next((ending for ending in COMPRESSIONS if path.endswith(ending)), "")
    if ending == ".gz":
        import gzip

        return gzip.GzipFile(fileobj=stream)
    if ending == ".bz2":
        import bz2

        return bz2.BZ2File(stream)
    if ending == ".xz":
        return lzma.LZMAFile(stream)
    if ending == ".zst":
        import zstandard

        return io.BufferedReader(_Zstandard(stream, zstandard.ZstdDecompressor()))
    return stream


def expand(path: str, suffixes: tuple[str, ...]) -> list[str]:
    """Return the files that a path means: itself, a folder's files with one of the suffixes, or a pattern's matches.

    Sorted, so that the order does not depend on the file system. InputError where there are none.
    """
    import glob

    if is_remote(path):
        return [local_copy(path)]
    here = Path(path)
    if here.is_dir():
        found = sorted(str(file) for file in here.rglob("*") if file.is_file() and _has_suffix(file.name, suffixes))
        if not found:
            raise InputError(f"{path}: no file here ends in {', '.join(suffixes) or 'anything'}")
        return found
    if here.exists():
        return [path]
    found = sorted(file for file in glob.glob(path, recursive=True) if Path(file).is_file())  # noqa: PTH207
    if not found:
        raise InputError(f"{path}: no such file or folder")
    return found


def _has_suffix(name: str, suffixes: tuple[str, ...]) -> bool:
    if name.startswith("."):
        return False
    bare = next((name.removesuffix(ending) for ending in COMPRESSIONS if name.endswith(ending)), name)
    return not suffixes or bare.endswith(suffixes)


def checksum(path: str) -> str:
    """Return the SHA-256 of a file's bytes."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
