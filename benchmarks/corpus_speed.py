"""Documents a second: `glyphline collect` against the analyser alone and against one call a document in threads.

python benchmarks/corpus_speed.py --reviews ratings.txt.xz --documents 20000

Three ways to cut the same raw reviews into sentences on the same number of cores, one after the other, several rounds:
collect (all filters on, Parquet and manifest written), Kiwi's own batch call and nothing else, and Kiwi called once a
document under joblib threads. Each runs in a process of its own; loading the model is not counted, as a run on a real
corpus loads it once. Beside documents a second of wall time stand documents a second of processor time, all processes
together: where other jobs share the cores, that is the ratio to go by. The last line is JSON with the ratios of the
medians.
"""

import argparse
import json
import lzma
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CARRIED = Path(__file__).parents[1] / "demo/text/ko.chatbot.txt"
FILTERS = {"near_duplicates": 0.8, "repeat_limit": 10, "script_share": 0.2}


CLOCK = [0.0]
"""Processor time when the measured part began."""


def processor_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def start_clock() -> float:
    """Begin to measure; returns the wall time."""
    CLOCK[0] = processor_seconds()
    return time.perf_counter()


def read_reviews(path: str, count: int) -> list[str]:
    """Return the first reviews of a text file, plain or .xz, one a line."""
    with (
        lzma.open(path, "rt", encoding="utf-8") if path.endswith(".xz") else Path(path).open(encoding="utf-8") as handle
    ):
        return [line.rstrip("\n") for line, _ in zip(handle, range(count), strict=False)]


def run_batch(reviews: list[str], workers: int) -> float:
    """Kiwi's own batch call on so many threads, nothing else."""
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=workers)
    list(kiwi.split_into_sents(iter(reviews[:16])))
    start = start_clock()
    for _ in kiwi.split_into_sents(iter(reviews)):
        pass
    return time.perf_counter() - start


def run_threads(reviews: list[str], workers: int) -> float:
    """Kiwi called once a document under joblib threads."""
    from joblib import Parallel, delayed
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1)
    kiwi.split_into_sents(reviews[0])
    start = start_clock()
    Parallel(n_jobs=workers, prefer="threads")(delayed(kiwi.split_into_sents)(review) for review in reviews)
    return time.perf_counter() - start


def run_collect(reviews: list[str], workers: int) -> float:
    """The whole command, from the text file to the manifest, its processes started and their model loaded before."""
    from glyphline.corpus import collect as module
    from glyphline.corpus.settings import CollectSettings, FilterSettings

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.txt"
        path.write_text("\n".join(reviews), encoding="utf-8")
        source = {"source": "text", "path": str(path), "personal_data": "mask"}
        settings = CollectSettings(
            output=f"{folder}/out",
            sources={"nsmc": source},
            language="ko",
            filters=FilterSettings(**FILTERS),
            workers=workers,
            # Both cores have chunks and shards to do, as they have on a corpus of any real size.
            chunk_documents=2048,
            chunks_per_shard=8,
        )
        begun: list[float] = []
        enter = module.Crew.__enter__

        def timed(crew: module.Crew) -> module.Crew:
            entered = enter(crew)
            crew.bench.warm_up()
            begun.append(start_clock())
            return entered

        module.Crew.__enter__ = timed
        module.collect(settings)
        return time.perf_counter() - begun[0]


WAYS = {"collect": run_collect, "batch": run_batch, "threads": run_threads}


def main() -> None:
    """Run each way in its own process, alternating, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", default=str(CARRIED), help="text file with one review a line, plain or .xz")
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        reviews = read_reviews(asked.reviews, asked.documents)
        seconds = WAYS[asked.way](reviews, asked.workers)
        print(json.dumps([len(reviews), seconds, processor_seconds() - CLOCK[0]]))
        return
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    processor: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(asked.rounds):
        for way in WAYS:
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--way", way], capture_output=True, text=True, check=True
            )
            count, seconds, used = json.loads(done.stdout.splitlines()[-1])
            rates[way].append(count / seconds)
            processor[way].append(count / used)
    print(f"{'':<10}{'documents/s':>14}{'a processor second':>22}")
    for way in WAYS:
        print(f"{way:<10}{statistics.median(rates[way]):>14,.0f}{statistics.median(processor[way]):>22,.0f}")
    ratios = {}
    for name, found in (("", rates), (" by processor time", processor)):
        medians = {way: statistics.median(values) for way, values in found.items()}
        ratios |= {f"collect/{way}{name}": round(medians["collect"] / medians[way], 3) for way in ("batch", "threads")}
    print(json.dumps({"documents": count, "workers": asked.workers, "rounds": asked.rounds, **ratios}))


if __name__ == "__main__":
    main()
