"""Peak memory of `glyphline collect` on an input of any size: all of its processes together, sampled while it runs.

python benchmarks/corpus_memory.py --reviews ratings.txt.xz --megabytes 500

The reviews are written out again and again, each time with a number behind, until the file has the size. They are
collected with all filters and near-duplicates, and left uncut unless `--keep_whole_below 0` says otherwise: the
analyser's memory is the same for any input, and its time would hold up the stages whose memory might grow. Two sums are
taken over the processes: proportional set size, which counts a page that several share once, and resident set size,
which counts it for each. Each stage's peak is printed; the last line is JSON. Linux only.
"""

import argparse
import json
import lzma
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CARRIED = Path(__file__).parents[1] / "demo/text/ko.chatbot.txt"
EVERY_S = 0.5


def write_input(reviews: str, path: Path, megabytes: int) -> int:
    """Write the reviews repeatedly, numbered after the first time; returns the number of lines."""
    opened = lzma.open(reviews, "rt", encoding="utf-8") if reviews.endswith(".xz") else open(reviews, encoding="utf-8")  # noqa: PTH123, SIM115
    with opened as handle:
        lines = handle.read().split("\n")
    count = turn = 0
    with path.open("w", encoding="utf-8") as out:
        while out.tell() < megabytes * 1_000_000:
            out.writelines(f"{line} {turn}\n" if turn else f"{line}\n" for line in lines)
            turn, count = turn + 1, count + len(lines)
    return count


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for parent in found:
        try:
            found += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
        except OSError:
            continue
    return found


def memory_mb(pids: list[int]) -> dict[str, float]:
    """Return PSS and RSS of processes together, and the PSS of the first alone, in megabytes."""
    sums = {"pss": 0.0, "rss": 0.0, "parent": 0.0}
    for pid in pids:
        try:
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        sizes = {row.split(":")[0]: int(row.split()[1]) / 1000 for row in rows}
        sums["pss"] += sizes["Pss"]
        sums["rss"] += sizes["Rss"]
        sums["parent"] += sizes["Pss"] if pid == pids[0] else 0
    return sums


def stage(folder: Path) -> str:
    """Return what the job is at, from the files that are there."""
    if list(folder.glob("corpus-*.parquet")):
        return "writing"
    if list((folder / ".progress").glob("pairs*")):
        return "near-duplicates"
    return "analysing"


def main() -> None:
    """Write the input, run the job, sample its memory, print the peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", default=str(CARRIED), help="text file with one review a line, plain or .xz")
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--keep_whole_below", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=int, default=0, help="end the job after this time; 0: let it finish")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "reviews.txt", Path(folder) / "out"
        documents = write_input(asked.reviews, path, asked.megabytes)
        source = {
            "source": "text",
            "path": str(path),
            "personal_data": "mask",
            "keep_whole_below": asked.keep_whole_below,
        }
        command = [sys.executable, "-m", "glyphline", "collect", f"--sources={json.dumps({'reviews': source})}"]
        command += [
            "--language=ko",
            "--filters.near_duplicates=0.8",
            f"--workers={asked.workers}",
            f"--output={output}",
        ]
        started = time.monotonic()
        job = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        peaks: dict[str, dict[str, float]] = {}
        while job.poll() is None and not (asked.seconds and time.monotonic() - started > asked.seconds):
            held = peaks.setdefault(stage(output), {"pss": 0.0, "rss": 0.0, "parent": 0.0, "until_s": 0.0})
            for name, value in memory_mb(family(job.pid)).items():
                held[name] = max(held[name], round(value))
            held["until_s"] = round(time.monotonic() - started)
            time.sleep(EVERY_S)
        finished = job.poll() is not None
        if not finished:
            job.terminate()
        status = job.wait()
        manifest = output / "manifest.json"
        counts = json.loads(manifest.read_text()) if manifest.exists() else {"counts": {}, "drops": {}}
        size = round(path.stat().st_size / 1e6)
    print(f"{'stage':<18}{'PSS MB':>10}{'RSS MB':>10}{'parent MB':>12}{'until s':>10}")
    for name, held in peaks.items():
        print(f"{name:<18}{held['pss']:>10,}{held['rss']:>10,}{held['parent']:>12,}{held['until_s']:>10,}")
    found = {"input_mb": size, "documents": documents, "finished": finished and status == 0}
    found |= {"lines": counts["counts"].get("lines"), "drops": counts["drops"]}
    print(json.dumps(found | {"peak_pss_mb": max(held["pss"] for held in peaks.values())}))


if __name__ == "__main__":
    main()
