"""How fast do two workers train beside one, and what would more give? `benchmarks/workers_speed.py [BACKEND ...]`.

The same steps, on the same batches, are trained in several ways one after the other, and all of that so often
(--rounds), on two processor cores, in runs/workers/; beside it the exchange alone. What came of it is noted in
docs/distributed/speed-BACKEND.json after each round; then the tables in docs/distributed.md are written anew. Nothing
else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import time

import numpy as np
from workers import CASES
from workers_model import SHARDED
from workers_runs import DATA, RUNS
from workers_table import NOTES, machine_of, write_tables

from diptych.config import ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.batches import training_batches
from diptych.panel import load, training_panel
from diptych.runs.run import Run
from diptych.workers.group import Workers
from diptych.workers.membership import Membership

STEPS, WARM_UP = 40, 10
BATCH = 64
EXCHANGES = 10
# The sizes of the benchmark's model for Multi30k (docs/benchmark.md), on the phrasebook.
MODEL = ModelConfig(embedding_size=256, encoder_size=256, decoder_size=512, attention="additive")
# Shards, workers, threads of each.
WAYS = {
    **{"2 threads": (1, 1, 2), "2 threads, 2 shards": (2, 1, 2), "2 workers": (2, 2, 1)},
    **{way: (shards, 1, 1) for way, shards in SHARDED.items()},
}


def make(shards: int) -> Run:
    """The run that is trained."""
    training = TrainingConfig(
        epochs=100, batch_size=BATCH, maximum_steps=STEPS, validate_every=10 * STEPS, shards=shards, learning_rate=0.001
    )
    data = DATA.model_copy(update={"maximum_pairs": 4000})
    return Run.create(
        RunConfig(name="speed", data=data, model=MODEL, training=training), RUNS / "speed", overwrite=True
    )


def seconds(backend: str, shards: int, workers: int, threads: int) -> float:
    """Seconds of a step, the first ones left out: the median would leave out that lengths differ."""
    run = make(shards)
    command = [sys.executable, "-m", "diptych", "train", str(run.folder), "--backend", backend, "--device", "cpu"]
    together = ["--workers", str(workers), "--threads-per-worker", str(threads)]
    command += together if workers > 1 else ["--threads", str(threads)]
    subprocess.run([*command, "--quiet", "--json"], stdout=subprocess.DEVNULL, check=True)
    steps = [line["seconds"] for line in run.read_metrics(backend) if "loss" in line]
    return statistics.mean(steps[WARM_UP:])


def exchange(backend: str, weights: int) -> float:
    """Seconds of what a step exchanges between two workers here, of one thread each."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    command = [sys.executable, __file__, backend, "--sum", str(weights), *addresses]
    started = [subprocess.Popen([*command, str(rank)], stdout=subprocess.PIPE, encoding="utf-8") for rank in range(2)]
    return max(float(process.communicate(timeout=200)[0].split()[-1]) for process in started)


def add_up(backend: str, weights: int, addresses: list[str], rank: int) -> float:
    """One of the two: the median of some."""
    member = Membership(rank, 2, addresses=tuple(addresses), origin="test")
    with Workers.join(member, backend, threads=1, device="cpu") as workers:
        panel = training_panel(load(backend, 1, "cpu"))
        part, found = -(-weights // 2), []
        gradient, own = (panel.to_tensor(np.ones(shape, np.float32)) for shape in ((2, part + 1), (part + 2,)))
        for _ in range(EXCHANGES):
            begun = time.perf_counter()
            workers.trade(gradient)
            workers.collect(own)
            found.append(time.perf_counter() - begun)
    return statistics.median(found)


def slowest(run: Run, shards: int) -> float:
    """How much more padded target positions the largest of so many shards of a batch has than their mean."""
    pairs = run.encoded().train
    found = []
    for rows in training_batches(pairs, BATCH, seed=run.config.training.seed, epoch=0):
        lengths = pairs.targets.lengths[rows] + 1
        cuts = [lengths[len(rows) * k // shards : len(rows) * (k + 1) // shards] for k in range(shards)]
        sizes = [len(cut) * int(cut.max()) for cut in cuts if len(cut)]
        found.append(max(sizes) / (sum(sizes) / shards))
    return statistics.mean(found)


def main() -> int:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("backends", nargs="*", default=["pytorch", "tensorflow"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sum", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sum:
        weights, first, second, rank = given.sum
        print(add_up(given.backends[0], int(weights), [first, second], int(rank)))
        return 0
    for backend in given.backends:
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        run = make(2)
        weights = sum(each.size for each in run.initial_parameters().values())
        target_tokens = BATCH * float((run.encoded().train.targets.lengths + 1).mean())
        unequal = {shards: slowest(run, shards) for shards in (2, 4, 8)}
        sums: list[float] = []
        for _ in range(given.rounds):
            for way, choices in WAYS.items():
                found[way].append(seconds(backend, *choices))
                print(f"{backend}, {way}: {found[way][-1]:.4f} s", flush=True)
            sums.append(exchange(backend, weights))
            print(f"{backend}, exchange: {sums[-1]:.4f} s", flush=True)
            note = {
                "backend": backend,
                "seconds": found,
                "exchange": sums,
                "weights": weights,
                "target_tokens": target_tokens,
                "slowest": unequal,
                "machine": machine_of(),
            }
            NOTES.mkdir(exist_ok=True)
            (NOTES / f"speed-{backend}.json").write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    write_tables(list(CASES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
