"""Shards on this machine: in this process, or in a pool of fresh ones."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from glyphline.settings import JobError


def run(job: Callable[[int], Any], numbers: Sequence[int], workers: int) -> Iterator[Any]:
    """Yield `job(number)` for each number as they come; a worker that dies is a JobError."""
    if workers <= 1 or len(numbers) <= 1:
        yield from map(job, numbers)
        return
    # Spawned, not forked: a fork would copy the locks of threads that Arrow and OpenCV keep.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(numbers)), mp_context=context, initializer=_begin)
    try:
        pending = {pool.submit(job, number) for number in numbers}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise JobError("a worker died (out of memory, or killed); the same command goes on from here") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((pool._processes or {}).values()):
            process.terminate()


def _begin() -> None:
    """Leave Ctrl+C to the main process, use one core, and end when the main process is gone, however it went."""
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        parent.join()
        os._exit(1)

    if parent is not None:
        threading.Thread(target=follow, daemon=True).start()
