"""Shards on a Ray cluster: the one that RAY_ADDRESS names, or one started here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from glyphline.optional import need
from glyphline.settings import JobError


def run(job: Callable[[int], Any], numbers: Sequence[int], workers: int) -> Iterator[Any]:
    """Yield `job(number)` for each number as they come, at most `workers` at a time (0: as many as the cluster has)."""
    ray = need("ray", "ray")
    if not ray.is_initialized():
        ray.init(num_cpus=workers or None, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    remote, task = ray.remote(num_cpus=1, max_retries=2)(_call), ray.put(job)
    waiting, running = list(numbers), []
    limit = workers or int(ray.cluster_resources().get("CPU", 1))
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                running.append(remote.remote(task, waiting.pop(0)))
            done, running = ray.wait(running, num_returns=1)
            yield from ray.get(done)
    except ray.exceptions.RayError as error:
        raise JobError(f"ray: {type(error).__name__}: {error}") from error


def _call(job: Callable[[int], Any], number: int) -> Any:  # noqa: ANN401
    """Run the job for one shard on a worker."""
    return job(number)
