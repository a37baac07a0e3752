"""Decoding speed of a run in both frameworks and of its exports, and OpenNMT-py's: one process each, in turn.

    .venv/bin/python benchmarks/decoding.py RUN EXPORT [EXPORT ..] [--sentences 1000] [--rounds 3] [--threads 2]
        [--shortlist FILE] [--opennmt] [--json FILE]

Each system translates the same sentences of the run's test part in float32 (an export in its own precision), greedily
and with a beam of 5, in batches of 64 and one by one; loading, and a first translation that warms it up, are not timed.
A line for each: the median of the rounds in seconds, target words a second, and words a second and core, beside the 800
words a second on one core that were published of a pure GRU (WNMT 2018).

`--shortlist` has each system measured with that file of `diptych shortlist`, too.

`--opennmt` gives OpenNMT-py a turn, where its environment is there or can be made (see bench.py): its own model of
`bench.py`'s size with the run's attention, which learns briefly first, on the same task in words. Its translations are
of other lengths: compare words a second.

What was measured is in FILE (runs/bench/decoding.json) after each turn: whoever is interrupted, or asks for more
rounds, goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RUNS = Path(__file__).resolve().parents[1] / "runs" / "bench"
SEARCHES = {
    f"{name}, {'one by one' if batch == 1 else f'batches of {batch}'}": {"beam_size": width, "batch_size": batch}
    for batch in (64, 1)
    for name, width in (("greedy", 1), ("beam 5", 5))
}
FEW = 100  # one by one takes long: so many sentences tell as much
OPENNMT = "OpenNMT-py"
PUBLISHED = 800

Found = dict[str, dict[str, Any]]
"""By search: seconds, words (eos counted) and sentences."""


def measure(folder: str, backend: str, shortlist: str, sentences: int, threads: int) -> Found:
    """What one system of ours takes, in this process."""
    import diptych
    from diptych.evaluation.part import read_part
    from diptych.runs.run import Run

    run = Run.open(folder)
    sources = [source for source, _ in read_part(run, "test")][:sentences]
    precision = None if backend == "onnxruntime" else "float32"  # an export has its own; exact training's is float64
    translator = diptych.load(run, backend, threads=threads, precision=precision, shortlist=shortlist or None)
    found = {}
    for name, search in SEARCHES.items():
        some = sources if search["batch_size"] > 1 else sources[:: max(1, len(sources) // FEW)]
        translator.translate(some[: search["batch_size"]], **search)
        begun = time.perf_counter()
        said = translator.translate(some, **search)
        seconds = time.perf_counter() - begun
        found[name] = {"seconds": seconds, "words": sum(len(each.tokens) for each in said), "sentences": len(some)}
    return found


def in_a_process(folder: str, backend: str, shortlist: str, given: argparse.Namespace) -> Found:
    """What a system of ours takes in a process of its own.

    Raises:
        SystemExit: it failed.
    """
    words = [folder, "--one", backend, "--sentences", given.sentences, "--threads", given.threads]
    words += ["--shortlist", shortlist] if shortlist else []
    command = [sys.executable, str(Path(__file__)), *map(str, words)]
    finished = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if finished.returncode != 0:
        raise SystemExit(f"{folder} in {backend} failed: {finished.stderr.strip()[-500:]}")
    found: Found = json.loads(finished.stdout.splitlines()[-1])
    return found


def of_opennmt(attention: str, given: argparse.Namespace) -> Found:
    """What OpenNMT-py takes: its model learns first, where it has not.

    Raises:
        RuntimeError: its environment cannot be made, or it failed.
    """
    from contestant import Setting
    from environments import interpreter
    from pairs import prepare
    from theirs import PEERS, Theirs

    setting = Setting(prepare(None, None, RUNS), 0.0, given.threads)
    peer = Theirs("opennmt", OPENNMT, attention, environment="opennmt")  # type: ignore[arg-type]
    peer.learn(setting)
    found: Found = {}
    for batch, kind in ((64, "batches of 64"), (1, "one by one")):
        command = [str(interpreter("opennmt")), str(PEERS / "opennmt.py"), "decode", "--folder", str(setting.folder)]
        command += ["--attention", attention, "--threads", str(given.threads), "--batch-size", str(batch)]
        command += ["--sentences", str(given.sentences if batch > 1 else FEW)]
        environment = os.environ | {"OMP_NUM_THREADS": str(given.threads), "CUDA_VISIBLE_DEVICES": ""}
        environment.pop("PYTHONPATH", None)
        told = json.loads(peer.run(command, "decode", setting, environment).splitlines()[-1])["decoding"]
        for name, search in (("greedy", "greedy"), ("beam 5", "beam5")):
            each = told[search]
            numbers = {"seconds": each["seconds"], "words": each["target_tokens"], "sentences": each["sentences"]}
            found[f"{name}, {kind}"] = numbers
    return found


def main() -> None:
    """Measure every system in turn, round after round, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="the run, then its exports to ONNX")
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shortlist", default="", metavar="FILE", help="measure with it, too")
    parser.add_argument("--opennmt", action="store_true", help="OpenNMT-py beside them")
    parser.add_argument("--json", type=Path, default=RUNS / "decoding.json", metavar="FILE")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.folders[0], given.one, given.shortlist, given.sentences, given.threads)))
        return
    from diptych.processes.environment import environment
    from diptych.runs.run import Run

    run, *exports = given.folders
    attention = Run.open(run).config.model.attention
    systems = [(run, "tensorflow"), (run, "pytorch"), *((each, "onnxruntime") for each in exports)]
    names = {f"{Path(folder).name} in {backend}": (folder, backend, "") for folder, backend in systems}
    if given.shortlist:
        names |= {f"{name}, shortlist": (*system[:2], given.shortlist) for name, system in names.items()}
    if given.opennmt:
        names[OPENNMT] = ("", OPENNMT, "")
    asked = {"sentences": given.sentences, "threads": given.threads, "attention": attention}
    told = read(given.json, asked) or {"asked": asked, "environment": environment(), "turns": {}}
    for number in range(1, given.rounds + 1):
        for name, (folder, backend, shortlist) in names.items():
            if f"{number}: {name}" in told["turns"]:
                continue
            mark = time.perf_counter()
            ours = backend != OPENNMT
            found = in_a_process(folder, backend, shortlist, given) if ours else of_opennmt(attention, given)
            told["turns"][f"{number}: {name}"] = found
            write(given.json, told)
            print(f"round {number}, {name}: {time.perf_counter() - mark:.0f} s", file=sys.stderr)
    for line in table(told["turns"], list(names), given.threads):
        print(line)


def read(path: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What was measured before; None where nothing was.

    Raises:
        SystemExit: it was measured otherwise.
    """
    if not path.is_file():
        return None
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if told["asked"] != asked:
        raise SystemExit(f"error: {path} was measured with {told['asked']}, asked for is {asked}: give another --json")
    return told


def write(path: Path, told: dict[str, Any]) -> None:
    """Put down what was measured so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_suffix(".new")
    building.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    building.replace(path)


def table(turns: dict[str, Found], names: list[str], threads: int) -> list[str]:
    """For each search a line for each system; beside OpenNMT-py how many times as fast it is."""
    lines = []
    for search in SEARCHES:
        lines += ["", f"{search}: seconds, target words a second, words a second and core (published: {PUBLISHED})"]
        speeds = {}
        for name in names:
            rounds = [found[search] for turn, found in turns.items() if turn.partition(": ")[2] == name]
            seconds = statistics.median(each["seconds"] for each in rounds)
            speeds[name] = statistics.median(each["words"] / each["seconds"] for each in rounds)
            shown = f"{seconds:8.2f} s  {speeds[name]:9,.0f}  {speeds[name] / threads:9,.0f}"
            lines.append(f"{name:40} {rounds[0]['sentences']:6,} sentences  {shown}")
        if OPENNMT in speeds:
            best = max((name for name in names if name != OPENNMT), key=lambda name: speeds[name])
            lines.append(f"{best} says {speeds[best] / speeds[OPENNMT]:.2f} times as many words a second as {OPENNMT}")
    return lines


if __name__ == "__main__":
    main()
