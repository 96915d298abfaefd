"""Huge pages for what is loaded: an analyser's model is read all over, and each page of it has to be looked up."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

HUGE_BYTES = 2 << 20
_HUGE, _COLLAPSE = 14, 25
"""Linux's MADV_HUGEPAGE, for what will be written there, and MADV_COLLAPSE (6.1 and later), for what is there now."""
_REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(\[heap\])?\n")


def use_huge_pages() -> None:
    """Move this process's memory into huge pages where the system can; processes forked afterwards share them.

    Measured on Kiwi in two forked processes: 6 to 17 % less time. Nothing happens on systems without it.
    """
    import ctypes

    # Whatever is missing here, /proc, the C library or the call, is no reason not to go on.
    with contextlib.suppress(OSError, AttributeError):
        advise = ctypes.CDLL(None).madvise
        for start, end, _ in _REGION.findall(Path("/proc/self/maps").read_text()):
            begin, size = int(start, 16), int(end, 16) - int(start, 16)
            if size >= HUGE_BYTES:
                for advice in (_HUGE, _COLLAPSE):
                    advise(ctypes.c_void_p(begin), ctypes.c_size_t(size), advice)
