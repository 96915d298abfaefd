"""`glyphline collect`: running text in, a corpus of clean lines out."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from glyphline.corpus.analysis import Analysed, Analyser, is_stored, store, words_of
from glyphline.corpus.coverage import Form, make_up
from glyphline.corpus.making import KINDS
from glyphline.corpus.neighbours import drop_near_duplicates
from glyphline.corpus.pages import use_huge_pages
from glyphline.corpus.plan import Chunk, PlannedSource, chunks, inputs, plan_sources, settings_identity, without_files
from glyphline.corpus.report import write_reports
from glyphline.corpus.selection import (
    Chunks,
    drop_duplicates,
    limit_charset,
    limit_lines,
    still_missing,
)
from glyphline.corpus.settings import CollectSettings
from glyphline.corpus.writing import ShardJob, lines_of, write_shard
from glyphline.manifest import Manifest, Output, Storage, open_output
from glyphline.plugins import load
from glyphline.settings import InputError, JobError, command

log = logging.getLogger(__name__)

EXAMPLE = """glyphline collect --config configs/corpus/ko.yaml --output corpus/ko
glyphline collect letters.txt diary.txt.xz --language fr --output corpus/fr --lines_txt
glyphline collect --config configs/corpus/ko.yaml --sources.chatbot.path mine.csv --output corpus/mine"""


@command(CollectSettings, name="collect", example=EXAMPLE, positional="files")
def main(settings: CollectSettings) -> None:
    """Read running text and write a corpus: clean lines in Parquet shards, with a manifest that counts every drop."""
    if not settings.output:
        raise InputError("no output folder: add --output DIR")
    manifest = collect(settings)
    if manifest is None:
        log.info("run the other parts, then the same command without --shards to put them together")
        return
    log.info("%s: %s lines in %s shards", settings.output, manifest.counts["lines"], len(manifest.shards))
    log.info("dropped: %s", ", ".join(f"{k} {v}" for k, v in manifest.drops.items()) or "nothing")


def collect(settings: CollectSettings) -> Manifest | None:
    """Make the corpus, going on with what an interrupted run left. Returns the manifest of the finished folder.

    None where only a part was asked for and others are not there yet.
    """
    sources = plan_sources(settings)
    output = open_output(settings.output, "corpus", settings_identity(settings, sources), inputs(settings, sources))
    if output.finished:
        log.info("%s: is there already", settings.output)
        return output.finished
    with Crew(settings, sources) as crew, _full_disk_named(settings.output):
        count = _analyse(crew, output, settings, sources)
        absent = sum(not is_stored(output.storage, index) for index in range(count))
        if absent and settings.shards:
            log.info("%s: part %s is done; %d of %d chunks are left", settings.output, settings.shards, absent, count)
            return None
        return _finish(crew, output, settings, count)


@contextlib.contextmanager
def _full_disk_named(folder: str) -> Iterator[None]:
    """Say which folder the system found no space for: the error of a write knows no name."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise JobError(f"{folder}: {error.strerror}; make room, and the same command goes on from here") from error


class Crew:
    """The processes that do the work; none of them where one worker was asked for."""

    def __init__(self, settings: CollectSettings, sources: Sequence[PlannedSource]) -> None:
        import multiprocessing

        self.size = settings.workers or len(os.sched_getaffinity(0))
        self.sources = [without_files(source) for source in sources]
        self.bench = Bench(settings, self.sources)
        self.pool: ProcessPoolExecutor | None = None
        if self.size > 1:
            # Models are loaded here, before the fork, so that all processes share one copy of them.
            self.bench.warm_up()
            use_huge_pages()
            # What is there now stays: looking through it for cycles would copy its pages into every process.
            gc.collect()
            gc.freeze()
            methods = multiprocessing.get_all_start_methods()
            context = multiprocessing.get_context("fork" if "fork" in methods else None)
            self.pool = ProcessPoolExecutor(self.size, context, _take_bench, (settings, self.sources))

    def __enter__(self) -> Crew:
        _BENCH[:] = [self.bench]
        if self.pool:
            self.pool.submit(os.getpid).result()
        return self

    def __exit__(self, kind: type | None, *error: object) -> None:
        if self.pool:
            if kind is not None:
                # Whoever interrupts need not wait for the chunks under way: they are done again by the next run.
                for process in list((self.pool._processes or {}).values()):
                    process.terminate()
            self.pool.shutdown(wait=True, cancel_futures=True)
            gc.unfreeze()
        _BENCH.clear()

    def work(self, function: Callable[..., Any], jobs: Iterator[tuple]) -> Iterator[Any]:
        """Yield the results in order; a few jobs a process are under way at a time, so that memory stays bounded."""
        if not self.pool:
            yield from (function(*job) for job in jobs)
            return
        waiting: deque[Future] = deque()
        for job in jobs:
            waiting.append(self.pool.submit(function, *job))
            if len(waiting) >= 3 * self.size:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Bench:
    """What a process works with: the analysers of all sources, made when first needed."""

    def __init__(self, settings: CollectSettings, sources: Sequence[PlannedSource]) -> None:
        self.settings, self.sources = settings, sources
        self.analysers: dict[int, Analyser] = {}

    def analyser(self, source: int) -> Analyser:
        """Return the analyser of a source."""
        if source not in self.analysers:
            self.analysers[source] = Analyser(self.sources[source], self.settings)
        return self.analysers[source]

    def warm_up(self) -> None:
        """Load what all sources need, and the package that writes: each process would import it again."""
        import pyarrow.parquet  # noqa: F401

        for number in range(len(self.sources)):
            self.analyser(number).warm_up()


_BENCH: list[Bench] = []


def _take_bench(settings: CollectSettings, sources: Sequence[PlannedSource]) -> None:
    """Begin a worker process: an interrupt is the parent's business, and a forked one has its bench already."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not _BENCH:
        _BENCH.append(Bench(settings, sources))


@contextlib.contextmanager
def _no_cycles() -> Iterator[None]:
    """Keep the collector of cycles away from work that makes millions of objects and no cycle."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _do_chunk(folder: str, chunk: Chunk) -> tuple[int, dict[str, int]]:
    """Analyse and commit one chunk; returns how far reading had come and the chunk's counts."""
    bench = _BENCH[0]
    analyser = bench.analyser(chunk.source)
    with _no_cycles():
        done = analyser.analyse(chunk.documents, chunk.drops, chunk.index)
        store(Storage(folder), chunk, done, analyser.language.code, bench.settings)
    return chunk.read_bytes, dict(done.counts) | {"lines": len(done.lines)}


def _analyse(crew: Crew, output: Output, settings: CollectSettings, sources: Sequence[PlannedSource]) -> int:
    """Analyse every chunk of this part that is not there yet; returns the number of all chunks."""
    from tqdm import tqdm

    total = sum(os.path.getsize(path) for source in sources for path in source.files.paths)  # noqa: PTH202
    first, last, parts = settings.part()
    seen = Counter()
    read = 0

    def missing() -> Iterator[tuple[str, Chunk]]:
        nonlocal read
        for chunk in chunks(sources, settings.chunk_documents):
            seen["chunks"] += 1
            read = chunk.read_bytes
            if first <= chunk.index % parts <= last and not is_stored(output.storage, chunk.index):
                yield output.storage.folder, chunk

    started = time.monotonic()
    # Documents/s is what people compare; bytes are what is known in advance, so the time left follows from them.
    with tqdm(total=total or None, unit="B", unit_scale=True, desc="collect", mininterval=1.0) as bar:
        for read_bytes, counts in crew.work(_do_chunk, missing()):
            seen.update(counts)
            rate = seen["documents"] / max(1e-9, time.monotonic() - started)
            bar.set_postfix_str(f"{seen['documents']:,} documents, {rate:,.0f}/s, {seen['lines']:,} lines", False)
            bar.update(read_bytes - bar.n)
        bar.update(read - bar.n)
    if not seen["chunks"]:
        raise InputError("the sources hold no text")
    return seen["chunks"]


def _do_shard(folder: str, job: ShardJob) -> None:
    bench = _BENCH[0]
    output = Output(Storage(folder), "corpus", {}, {})
    with _no_cycles():
        write_shard(output, job, bench.sources, bench.settings)


def _finish(crew: Crew, output: Output, settings: CollectSettings, count: int) -> Manifest:
    """Decide over all lines, write the shards and what goes with them, the manifest last."""
    selected = Chunks(output.storage, count)
    coverage = _select(crew, selected, output.storage, settings)
    if not selected.kept:
        reasons = selected.reasons.most_common()
        told = ", ".join(f"{reason} {number}" for reason, number in reasons) or "nothing was dropped"
        raise InputError(f"no line is left ({told}); see the source's fields, the filters and the limits of length")
    jobs = []
    for number, start in enumerate(range(0, selected.count, settings.chunks_per_shard)):
        members = list(range(start, min(selected.count, start + settings.chunks_per_shard)))
        jobs.append(ShardJob(f"corpus-{number:05d}.parquet", members, [selected.masks[index] for index in members]))
    log.info("writing %d lines in %d shards", selected.kept, len(jobs))
    for _ in crew.work(_do_shard, ((output.storage.folder, job) for job in jobs if not output.has(job.name))):
        pass
    names = [job.name for job in jobs]
    if settings.lines_txt:
        output.storage.write_parts("lines.txt", lines_of(output.storage, names))
    return output.finish(names, write_reports(output.storage, crew.sources, names, coverage))


def _select(crew: Crew, selected: Chunks, storage: Storage, settings: CollectSettings) -> dict[str, Any]:
    """Drop what the whole corpus decides on, and add lines for rare characters; returns what those were."""
    drop_duplicates(selected)
    if settings.filters.near_duplicates:
        drop_near_duplicates(selected, settings.filters.near_duplicates, crew.work, crew.size)
    if settings.charset_limit:
        limit_charset(selected, settings.charset_limit)
    if settings.max_lines:
        limit_lines(selected, settings.max_lines, settings.coverage)
    if not settings.coverage.minimum:
        return {}
    missing = still_missing(selected, settings.coverage)
    language = load("language", settings.coverage.language or crew.sources[0].language).LANGUAGE
    words = next((words_of(texts, language) for i in range(selected.count) if (texts := selected.kept_texts(i))), [])
    form = Form(language, words, settings.min_graphemes, settings.max_graphemes)
    lines = make_up(missing, form, settings.seed)
    if lines:
        done = Analysed(lines, [KINDS.index("coverage")] * len(lines))
        store(storage, Chunk(selected.count, -1, [], [], 0), done, language.code, settings)
        selected.add()
        drop_duplicates(selected)
    return {"minimum": settings.coverage.minimum, "raised_by_generated_lines": len(missing), "lines": len(lines)}
