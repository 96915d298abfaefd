"""The only place that knows about ranks: facts from the environment that torchrun and accelerate set."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


def rank() -> int:
    """Return the global rank of this process, 0 where there is one process."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Return the number of processes of the job."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Return the rank of this process on its machine: the index of its device."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_world_size() -> int:
    """Return the number of processes of the job on this machine: what divides its cores."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def is_main() -> bool:
    """Tell whether this process writes the shared files."""
    return rank() == 0


def gather(items: list) -> list:
    """Return the lists of all processes, concatenated in rank order, on every process."""
    if world_size() == 1:
        return items
    import torch.distributed

    parts: list = [None] * world_size()
    torch.distributed.all_gather_object(parts, items)
    return [item for part in parts for item in part]


def join(on_cpu: bool) -> None:
    """Let the processes of a job know of one another; nothing to do where there is one."""
    if world_size() > 1:
        from accelerate import PartialState

        PartialState(cpu=on_cpu)


def decide(function: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Call a function on the main process alone; every process gets its result, or its error. Needs `join` before."""
    if world_size() == 1:
        return function()
    import torch.distributed

    told: list = [None, None]
    if is_main():
        try:
            told[0] = function()
        except Exception as error:  # noqa: BLE001 - raised again on every process
            told[1] = error
    torch.distributed.broadcast_object_list(told, src=0)
    if told[1] is not None:
        raise told[1]
    return told[0]
