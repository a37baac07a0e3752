"""How fast both panels train, side by side: `python benchmarks/training.py [CONFIG] [--threads N] [--rounds R]`.

The panels take turns, each time in a fresh process, so that a machine whose speed drifts treats them alike. What is
printed is target tokens per second after a warm-up (median and range over all blocks of all rounds), the ratio of the
two panels round by round, and what making the shared dropout masks costs.
"""

from __future__ import annotations

import argparse
import platform
import statistics
from pathlib import Path

from diptych.config import RunConfig, read_config
from diptych.ladder.ladder import temporary_run
from diptych.panel import BACKENDS
from diptych.processes.call import call
from diptych.processes.machine import usable_processors

NAMES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", type=Path, help="a TOML config; by default the phrasebook's")
    parser.add_argument("--threads", type=int, default=usable_processors())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=6, help="timed blocks of 10 steps in each round")
    arguments = parser.parse_args()
    config = read_config(arguments.config) if arguments.config else RunConfig()
    rounds: dict[str, list[dict]] = {backend: [] for backend in BACKENDS}
    with temporary_run(config) as run:
        for _ in range(arguments.rounds):
            for backend in BACKENDS:
                given = {"folder": str(run.folder), "blocks": arguments.blocks}
                rounds[backend].append(
                    call(backend, "diptych.benchmark.speed:training_speed", given, arguments.threads)
                )

    model, training = config.model, config.training
    sizes = f"sizes {model.embedding_size}/{model.encoder_size}/{model.decoder_size}"
    print(f"{config.name}: {model.cell}, {model.attention} attention, {sizes}, batch {training.batch_size}", end=", ")
    print(training.precision)
    print(f"{platform.platform()}, {arguments.threads} threads, {arguments.rounds} rounds of {arguments.blocks} blocks")
    medians: dict[str, list[float]] = {}
    for backend in BACKENDS:
        blocks = [block for found in rounds[backend] for block in found["blocks"]]
        speeds = [block["target_tokens"] / block["made"] for block in blocks]
        cost = statistics.median(block["made"] / block["ready"] for block in blocks) - 1.0
        medians[backend] = [
            statistics.median(block["target_tokens"] / block["made"] for block in found["blocks"])
            for found in rounds[backend]
        ]
        versions = ", ".join(f"{name} {version}" for name, version in rounds[backend][0]["versions"].items())
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        print(f"{NAMES[backend]:<10} {statistics.median(speeds):>9,.0f} target tokens/s ({spread}); ", end="")
        print(f"shared randomness {cost:+.1%} of the time; {versions}")
    ratios = [ours / other for ours, other in zip(*medians.values(), strict=True)]
    print(f"TensorFlow to PyTorch, round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


if __name__ == "__main__":
    main()
