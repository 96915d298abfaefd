"""Huge pages are a gift of the system: asked for, and done without."""

from pathlib import Path

import numpy as np
import pytest

from glyphline.corpus import pages


def test_memory_keeps_its_content():
    held = np.arange(1 << 21, dtype=np.uint64)
    pages.use_huge_pages()
    assert (held == np.arange(1 << 21, dtype=np.uint64)).all()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux only")
def test_regions_are_those_of_the_process():
    held = np.ones(1 << 21, dtype=np.uint64)
    regions = [(int(a, 16), int(b, 16)) for a, b, _ in pages._REGION.findall(Path("/proc/self/maps").read_text())]
    assert any(start <= held.ctypes.data < end for start, end in regions)


def test_without_the_system(monkeypatch):
    def missing(*_):
        raise FileNotFoundError("/proc/self/maps")

    monkeypatch.setattr(pages.Path, "read_text", missing)
    assert pages.use_huge_pages() is None
