"""How fast do two workers train beside one, and what would more give? `benchmarks/workers_speed.py [BACKEND ...]`.

Each way of training the same steps is measured in turn, so often (--rounds), on two processor cores, in
runs/workers/. What came of it is noted in docs/distributed/speed-BACKEND.json; then the tables in docs/distributed.md
are written anew.
Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from workers import CASES
from workers_runs import DATA, RUNS
from workers_table import NOTES, machine_of, write_tables

from diptych.config import ModelConfig, RunConfig, TrainingConfig
from diptych.runs.run import Run

STEPS = 60
# The sizes of the benchmark's model for Multi30k (docs/benchmark.md), on the phrasebook.
MODEL = ModelConfig(embedding_size=256, encoder_size=256, decoder_size=512, attention="additive")
WAYS = {  # shards, workers, threads of each
    "alone": (1, 1, 2),
    "alone, 2 shards": (2, 1, 2),
    "2 workers": (2, 2, 1),
    "alone, 1 thread": (1, 1, 1),
}


def speed(backend: str, shards: int, workers: int, threads: int) -> tuple[float, Run]:
    """Target tokens per second of so many steps."""
    training = TrainingConfig(
        epochs=100, batch_size=64, maximum_steps=STEPS, validate_every=10 * STEPS, shards=shards, learning_rate=0.001
    )
    data = DATA.model_copy(update={"maximum_pairs": 4000})
    run = Run.create(RunConfig(name="speed", data=data, model=MODEL, training=training), RUNS / "speed", overwrite=True)
    command = [sys.executable, "-m", "diptych", "train", str(run.folder), "--backend", backend, "--device", "cpu"]
    together = ["--workers", str(workers), "--threads-per-worker", str(threads)]
    command += together if workers > 1 else ["--threads", str(threads)]
    done = subprocess.run([*command, "--quiet", "--json"], capture_output=True, encoding="utf-8", check=True)
    report = json.loads(done.stdout)
    return report["target_tokens"] / report["seconds"], run


def main() -> int:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("backends", nargs="*", default=["pytorch", "tensorflow"])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for backend in given.backends:
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(given.rounds):
            for way, choices in WAYS.items():
                tokens, run = speed(backend, *choices)
                found[way].append(tokens)
                print(f"{backend}, {way}: {tokens:,.0f} target tokens/s", flush=True)
        lines = [line for line in run.read_metrics(backend) if "loss" in line]
        note = {
            "backend": backend,
            "speeds": {way: statistics.median(speeds) for way, speeds in found.items()},
            "rounds": given.rounds,
            "weights": sum(weights.size for weights in run.initial_parameters().values()),
            "target_tokens": statistics.mean(line["target_tokens"] for line in lines),
            "machine": machine_of(),
        }
        NOTES.mkdir(exist_ok=True)
        (NOTES / f"speed-{backend}.json").write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    write_tables(list(CASES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
