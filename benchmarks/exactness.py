"""What changes no bit of a whole exact training: `make exact`, or `benchmarks/exactness.py [NAME ...]`.

Each circumstance is a training (or several, with other seeds) of a small config in runs/exactness/. What came of it is
noted in docs/exactness/NAME.json as soon as it is there, and not measured again on the same kind of processor unless
--again is given; then the tables in docs/exactness.md are written anew. It takes a quarter of an hour.

Exit code 1 where a digest is not that of the first circumstance with this seed, on whatever machine that was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exactness_table import NOTES, ROOT, write_tables

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.parameters.digest import digest
from diptych.processes.environment import COMPUTING, environment
from diptych.runs.run import Run

RUNS = ROOT / "runs" / "exactness"
STANDARD = RunConfig(
    name="exactness",
    data=DataConfig(maximum_pairs=2000, validation_size=50, test_size=50),
    model=ModelConfig(embedding_size=32, encoder_size=32, decoder_size=48, dropout=0.2),
    training=TrainingConfig(precision="exact", epochs=3, batch_size=32, validate_every=100, ema_decay=0.9),
)
STEPS, SEEDS = 189, (1, 2, 3)
TRAIN = """
import functools, json, os, signal, sys
folder, backend, threads, stop_at, xla, divided, killed_at = json.loads(sys.argv[1])
from diptych.panel import load
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import learner
from diptych.training.loop import train

class Killer(QuietReporter):
    def step(self, metrics):
        if metrics["step"] == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

def in_parts(training, parts, rate):
    (batch, masks), = parts
    cuts = [slice(first, first + divided) for first in range(0, len(batch.rows), divided)]
    batches = [type(batch)(**{name: array[cut] for name, array in vars(batch).items()}) for cut in cuts]
    return training.step_over([(b, {k: m[cut] for k, m in masks.items()}) for b, cut in zip(batches, cuts)], rate)

panel = load(backend, threads, "cpu")
if divided:
    learner.take_step = in_parts
if not xla:
    panel.TrainingStep = functools.partial(panel.TrainingStep, compiled=False)
run = Run.open(folder)
resume = bool(run.trained_backends())
train(run, backend, resume=resume, reporter=Killer(), threads=threads, device="cpu", stop_at=stop_at)
"""


@dataclass(frozen=True)
class Leg:
    """A part of a training: a framework, its threads, the step at which it stops (0: the end).

    Attributes:
        xla: whether TensorFlow compiles the update.
        divided: each batch is divided into such of so many pairs, whose gradients are added up; 0: it is not.
        killed_at: the step after which its process is killed; 0: it is not.
    """

    backend: str
    threads: int
    stop_at: int = 0
    xla: bool = True
    divided: int = 0
    killed_at: int = 0


@dataclass(frozen=True)
class Circumstance:
    """Under which circumstances the small config is trained; those measured first are what the others are held to."""

    name: str
    what: str
    legs: tuple[Leg, ...]
    seeds: tuple[int, ...] = SEEDS


def circumstances() -> list[Circumstance]:
    """All of them."""
    there_and_back = tuple(
        Leg(("tensorflow", "pytorch")[turn % 2], 1 + turn % 2, 0 if turn == 20 else 9 * (turn + 1))
        for turn in range(21)
    )
    names = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}
    found = []
    for backend, name in names.items():
        found.append(Circumstance(f"{backend}-1", f"{name}, 1 thread", (Leg(backend, 1),)))
        for threads in (2, 4):
            legs, seeds = (Leg(backend, threads),), SEEDS if threads == 2 else (1,)
            found.append(Circumstance(f"{backend}-{threads}", f"{name}, {threads} threads", legs, seeds))
    without = "TensorFlow, the update not compiled by XLA"
    found.append(Circumstance("tensorflow-without-xla", without, (Leg("tensorflow", 1, xla=False),), (1,)))
    for backend, name in names.items():
        what = f"{name}, the 32 pairs of each batch in four batches of 8, gradients added up"
        found.append(Circumstance(f"{backend}-divided", what, (Leg(backend, 1, divided=8),), (1,)))
    for backend, name in names.items():
        legs = (Leg(backend, 1, killed_at=130), Leg(backend, 1))
        what = f"{name}, killed after step 130 and resumed from step 100"
        found.append(Circumstance(f"{backend}-killed", what, legs, (1,)))
    changing = "the framework changed twenty times, the number of threads too"
    return [*found, Circumstance("there-and-back", changing, there_and_back, (1,))]


def measure(each: Circumstance, seed: int) -> dict[str, Any]:
    """Train, and say what came of it."""
    training = STANDARD.training.model_copy(update={"seed": seed})
    run = Run.create(STANDARD.model_copy(update={"training": training}), RUNS / f"{each.name}-{seed}", overwrite=True)
    for leg in each.legs:
        _train(run, leg)
    backend = each.legs[-1].backend
    latest = run.read_checkpoint(backend, "latest")
    steps = [line for line in run.read_metrics(backend) if "loss" in line]
    return {
        "seed": seed,
        "digest": digest(latest.parameters),
        "steps": latest.state["step"],
        "weights": sum(value.size for value in latest.parameters.values()),
        "loss": steps[-1]["loss"],
        "margin": min(line["margin"] for line in steps),
        "ties": sum(line.get("ties", 0) for line in steps),
    }


def _train(run: Run, leg: Leg) -> None:
    given = json.dumps([str(run.folder), *asdict(leg).values()])
    status = subprocess.run([sys.executable, "-c", TRAIN, given], check=False).returncode
    if status and not (leg.killed_at and status == -9):
        raise SystemExit(f"{run.folder}: {leg} failed; what it said is above")


def machine() -> dict[str, Any]:
    """What computes here."""
    here = environment()
    packages = {name: version for name, version in here["packages"].items() if name in COMPUTING}
    return {"processor": _processor(here["processor"]), "python": here["python"], **packages}


def _processor(name: str) -> str:
    """A processor's name with its family and model, where Linux tells: a virtual one's name says little."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    numbers = {key.strip(): value.strip() for key, value in told.items()}
    if "cpu family" not in numbers:
        return name
    return f"{name}, family {numbers['cpu family']}, model {numbers['model']}"


def main() -> int:
    """Measure what has not been measured, note it, write the tables; 1 if a digest is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these circumstances")
    parser.add_argument("--again", action="store_true", help="also what has been measured on this kind of processor")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    here, everything = machine(), circumstances()
    for each in everything:
        path = NOTES / f"{each.name}.json"
        fresh = {"what": each.what, "legs": [asdict(leg) for leg in each.legs], "measured": []}
        noted = json.loads(path.read_text("utf-8")) if path.is_file() else fresh
        for seed in each.seeds if each.name in (given.names or [each.name]) else ():
            known = [
                m for m in noted["measured"] if (m["seed"], m["machine"]["processor"]) == (seed, here["processor"])
            ]
            if known and not given.again:
                continue
            found = measure(each, seed)
            noted["measured"] = [m for m in noted["measured"] if m not in known]
            noted["measured"].append({**found, "machine": here})
            NOTES.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(noted, indent=1) + "\n", "utf-8")
            print(f"{each.name}, seed {seed}: {found['digest'][:16]}", flush=True)
    return 0 if write_tables([each.name for each in everything]) else 1


if __name__ == "__main__":
    sys.exit(main())
