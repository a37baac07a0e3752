"""Decoding speed of a run in both frameworks and of its exports, side by side: one process each, in turn.

    .venv/bin/python benchmarks/decoding.py RUN EXPORT [EXPORT ..] [--sentences 1000] [--rounds 3] [--threads 2]

Each system translates the same sentences of the run's test part, greedily and with a beam of 5, in batches of 64 and
one by one; loading, and a first translation that warms it up, are not timed. A line for each: the median of the rounds
in seconds, target words a second, and words a second and thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SEARCHES = {
    f"{name}, {'one by one' if batch == 1 else f'batches of {batch}'}": {"beam_size": width, "batch_size": batch}
    for batch in (64, 1)
    for name, width in (("greedy", 1), ("beam 5", 5))
}


def measure(folder: str, backend: str, sentences: int, threads: int) -> dict[str, Any]:
    """Seconds and words of each search of one system, in this process."""
    import diptych
    from diptych.evaluation.part import read_part
    from diptych.runs.run import Run

    run = Run.open(folder)
    sources = [source for source, _ in read_part(run, "test")][:sentences]
    translator = diptych.load(run, backend, threads=threads)
    found = {}
    for name, search in SEARCHES.items():
        # One by one takes long: a tenth of the sentences tells as much.
        some = sources if search["batch_size"] > 1 else sources[:: max(1, len(sources) // 100)]
        translator.translate(some[: search["batch_size"]], **search)
        begun = time.perf_counter()
        said = translator.translate(some, **search)
        seconds = time.perf_counter() - begun
        found[name] = {"seconds": seconds, "words": sum(len(each.tokens) for each in said), "sentences": len(some)}
    return found


def main() -> None:
    """Measure every system in turn, round after round, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="the run, then its exports to ONNX")
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.folders[0], given.one, given.sentences, given.threads)))
        return
    run, *exports = given.folders
    systems = [(run, "tensorflow"), (run, "pytorch"), *((each, "onnxruntime") for each in exports)]
    rounds: dict[tuple[str, str], list[dict[str, Any]]] = {system: [] for system in systems}
    for _ in range(given.rounds):
        for folder, backend in systems:
            words = [folder, "--one", backend, "--sentences", given.sentences, "--threads", given.threads]
            command = [sys.executable, str(Path(__file__)), *map(str, words)]
            finished = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
            if finished.returncode != 0:
                raise SystemExit(f"{folder} in {backend} failed: {finished.stderr.strip()[-500:]}")
            rounds[folder, backend].append(json.loads(finished.stdout.splitlines()[-1]))
    for name in SEARCHES:
        print(f"\n{name}: seconds, target words a second, words a second and thread")
        for (folder, backend), each in rounds.items():
            seconds = statistics.median(one[name]["seconds"] for one in each)
            speed = each[0][name]["words"] / seconds
            told = f"{seconds:8.2f} s  {speed:9,.0f}  {speed / given.threads:9,.0f}"
            print(f"{Path(folder).name + ' in ' + backend:40} {each[0][name]['sentences']:6,} sentences  {told}")


if __name__ == "__main__":
    main()
