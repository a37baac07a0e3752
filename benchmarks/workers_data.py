"""What a large corpus costs a worker: `benchmarks/workers_data.py [PAIRS ...]`, by default a million and ten million.

Of a corpus made by rule, in two pairs of files: preparing it, opening it again as every worker does (its checksums are
compared), and an epoch's order, each in a process of its own. What came of it is noted in docs/distributed/data.json;
then the tables in docs/distributed.md are written anew. Ten million pairs take 4 GB in runs/workers/ and some minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scale_corpus import write_words
from scale_trial import Memory
from workers import CASES
from workers_runs import RUNS
from workers_table import NOTES, machine_of, write_tables

from diptych.config import parse_config
from diptych.data.tokens.batches import training_batches
from diptych.runs.run import Run

WORDS = 8_000
BATCH = 64


def main() -> int:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", nargs="*", type=int, default=[1_000_000, 10_000_000])
    parser.add_argument("--step", choices=[each.__name__ for each in STEPS], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(measured(given.step, given.pairs[0])))
        return 0
    found = []
    for pairs in given.pairs:
        texts(pairs)
        row: dict[str, Any] = {"pairs": pairs}
        for step in STEPS:
            command = [sys.executable, __file__, str(pairs), "--step", step.__name__]
            row[step.__name__] = json.loads(
                subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
            )
            print(f"{pairs:,} pairs, {step.__name__}: {row[step.__name__]}", flush=True)
        found.append(row)
    note = json.dumps({"rows": found, "machine": machine_of()}, indent=2) + "\n"
    (NOTES / "data.json").write_text(note, "utf-8")
    write_tables(list(CASES))
    return 0


def measured(step: str, pairs: int) -> dict[str, float]:
    """Seconds of a step and how much memory it took: in all, and without what is only a view of a file."""
    memory = Memory()
    before = memory.look()["peak_anonymous_bytes"]
    memory.start()
    action = next(each for each in STEPS if each.__name__ == step)
    seconds = action(pairs)
    look = memory.look()
    return {"seconds": seconds, "bytes": look["peak_anonymous_bytes"] - before, "rss": look["peak_rss_bytes"]}


def texts(pairs: int) -> list[tuple[Path, Path]]:
    """Two pairs of files with half of the pairs each."""
    return [write_words(RUNS / f"data-{part}", pairs // 2, WORDS) for part in (1, 2)]


def folder(pairs: int) -> Path:
    """The run's."""
    return RUNS / f"data-{pairs}"


def prepare(pairs: int) -> float:
    """Read, count and encode."""
    first, second = ([str(path) for path in each] for each in texts(pairs))
    data = {"corpus": "files", "train": first, "additional": [{"paths": second}], "maximum_pairs": 0}
    values = {"name": "data", "data": data, "training": {"batch_size": BATCH}}
    begun = time.perf_counter()
    Run.create(parse_config(values), folder(pairs), overwrite=True)
    return time.perf_counter() - begun


def open_again(pairs: int) -> float:
    """Map what was encoded, its checksums compared."""
    run = Run.open(folder(pairs))
    begun = time.perf_counter()
    run.encoded()
    return time.perf_counter() - begun


def order(pairs: int) -> float:
    """An epoch's batches."""
    corpus = Run.open(folder(pairs)).encoded()
    begun = time.perf_counter()
    training_batches(corpus.train, BATCH, seed=1, epoch=1)
    return time.perf_counter() - begun


STEPS = (prepare, open_again, order)


if __name__ == "__main__":
    sys.exit(main())
