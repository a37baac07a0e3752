"""What changes no bit of a whole exact training: `make exact`, or `benchmarks/exactness.py [--recipes] [NAME ...]`.

Each circumstance is a training (or several, with other seeds) in runs/exactness/; one that was interrupted goes on
where it stopped. What came of it is noted in docs/exactness/NAME.json as soon as it is there, and not measured again on
the same kind of processor unless --again is given; then the table in docs/exactness.md is written anew. It takes a
quarter of an hour; with --recipes whole recipes are trained in both frameworks, exactly and in float32: hours.

Exit code 1 where a digest is not that of the first circumstance of its config and seed, on whatever machine that was.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exactness_table import write_table

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig, read_config
from diptych.parameters.digest import digest
from diptych.processes.environment import environment
from diptych.runs.run import Run

ROOT = Path(__file__).resolve().parents[1]
RUNS, NOTES = ROOT / "runs" / "exactness", ROOT / "docs" / "exactness"
STANDARD = RunConfig(
    name="exactness",
    data=DataConfig(maximum_pairs=2000, validation_size=50, test_size=50),
    model=ModelConfig(embedding_size=32, encoder_size=32, decoder_size=48, dropout=0.2),
    training=TrainingConfig(precision="exact", epochs=3, batch_size=32, validate_every=100, ema_decay=0.9),
)
STEPS, SEEDS = 189, (1, 2, 3)
RECIPES = ("numbers", "spacing-korean", "phrasebook-best", "multi30k-de-en")
TRAIN = """
import json, sys
folder, backend, threads, stop_at, xla, resume = json.loads(sys.argv[1])
from diptych.panel import load
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train
panel = load(backend, threads, "cpu")
if not xla:
    import tensorflow as tf
    panel.TrainingStep._update = tf.function(panel.TrainingStep._update.python_function)
given = {"threads": threads, "device": "cpu", "stop_at": stop_at}
train(Run.open(folder), backend, resume=resume, reporter=QuietReporter(), **given)
"""


@dataclass(frozen=True)
class Leg:
    """A part of a training: a framework, its threads, the step at which it stops (0: the end).

    Attributes:
        killed_after: seconds after which its process is killed; 0: never.
    """

    backend: str
    threads: int
    stop_at: int = 0
    xla: bool = True
    killed_after: float = 0.0


@dataclass(frozen=True)
class Circumstance:
    """Under which circumstances a config is trained; those measured first are what the others are held to."""

    name: str
    what: str
    legs: tuple[Leg, ...]
    config: str = "standard"
    precision: str = "exact"
    seeds: tuple[int, ...] = SEEDS


def circumstances() -> list[Circumstance]:
    """Those of the small config."""
    there_and_back = tuple(
        Leg(("tensorflow", "pytorch")[turn % 2], 1 + turn % 2, 0 if turn == 20 else 9 * (turn + 1))
        for turn in range(21)
    )
    killed = (Leg("pytorch", 1, killed_after=12.0), Leg("pytorch", 1))
    found = [
        Circumstance(f"{b}-{t}", f"{b}, threads: {t}", (Leg(b, t),)) for b in ("tensorflow", "pytorch") for t in (1, 2)
    ]
    return [
        *found,
        Circumstance(
            "tensorflow-without-xla", "TensorFlow, the update not compiled by XLA", (Leg("tensorflow", 1, xla=False),)
        ),
        Circumstance("there-and-back", "the framework changed twenty times", there_and_back, seeds=(1,)),
        Circumstance("killed", "killed, and resumed from its last checkpoint", killed, seeds=(1,)),
    ]


def recipes() -> list[Circumstance]:
    """Whole recipes, exactly in both frameworks and, for their quality, in float32."""
    found = []
    for recipe in RECIPES:
        seeds = (1,) if recipe.startswith("multi30k") else SEEDS
        for precision in ("exact", "float32"):
            for backend in ("tensorflow", "pytorch"):
                name, legs = f"{recipe}-{precision}-{backend}", (Leg(backend, 2),)
                found.append(Circumstance(name, f"{recipe}, {backend}, {precision}", legs, recipe, precision, seeds))
    return found


def measure(each: Circumstance, seed: int) -> dict[str, Any] | None:
    """Train, and say what came of it; None where the recipe's corpus is not here."""
    base = STANDARD if each.config == "standard" else read_config(ROOT / "configs" / f"{each.config}.toml")
    training = base.training.model_copy(update={"seed": seed, "precision": each.precision})
    try:
        run = Run.create(base.model_copy(update={"training": training}), RUNS / f"{each.name}-{seed}")
    except Exception as error:
        print(f"{each.name}: left out: {error}", flush=True)
        return None
    began = time.perf_counter()
    for leg in each.legs:
        _train(run, leg)
    backend = each.legs[-1].backend
    latest = run.read_checkpoint(backend, "latest")
    steps = [line for line in run.read_metrics(backend) if "loss" in line]
    timed = sum(line["target_tokens"] for line in steps[1:]) / sum(line["seconds"] for line in steps[1:])
    found = {
        "seed": seed,
        "digest": digest(latest.parameters),
        "steps": latest.state["step"],
        "weights": sum(value.size for value in latest.parameters.values()),
        "loss": steps[-1]["loss"],
        "margin": min((line["margin"] for line in steps if "margin" in line), default=None),
        "ties": sum(line.get("ties", 0) for line in steps),
        "target_tokens_per_second": timed,
        "seconds": time.perf_counter() - began,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }
    return found if each.config == "standard" else found | {"quality": _quality(run, backend)}


def _train(run: Run, leg: Leg) -> None:
    resume = run.record(leg.backend).steps() is not None or bool(run.trained_backends())
    given = json.dumps([str(run.folder), leg.backend, leg.threads, leg.stop_at, leg.xla, resume])
    process = subprocess.Popen([sys.executable, "-c", TRAIN, given])
    try:
        status = process.wait(leg.killed_after or None)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return
    except BaseException:
        process.kill()
        raise
    if status:
        raise SystemExit(f"{run.folder}: {leg} failed; what it said is above")


def _quality(run: Run, backend: str) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "diptych",
        "evaluate",
        str(run.folder),
        "--backend",
        backend,
        "--json",
        "--threads",
        "2",
    ]
    scores = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {name: scores[name] for name in ("bleu", "chrf", "exact_match") if name in scores}


def main() -> int:
    """Measure what has not been measured, note it, write the table; 1 if a digest is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these circumstances")
    parser.add_argument("--recipes", action="store_true", help="whole recipes too, for hours")
    parser.add_argument("--again", action="store_true", help="also what has been measured on this kind of processor")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    here = environment()
    machine = {"processor": _processor(here["processor"]), "packages": here["packages"], "python": here["python"]}
    everything = [*circumstances(), *recipes()]
    for each in everything:
        asked = each.name in given.names if given.names else each.config == "standard" or given.recipes
        path = NOTES / f"{each.name}.json"
        noted = json.loads(path.read_text("utf-8")) if path.is_file() else {**_described(each), "measured": []}
        for seed in each.seeds if asked else ():
            known = [
                m for m in noted["measured"] if (m["seed"], m["machine"]["processor"]) == (seed, machine["processor"])
            ]
            if known and not given.again:
                continue
            found = measure(each, seed)
            if found is None:
                break
            noted["measured"] = [m for m in noted["measured"] if m not in known]
            noted["measured"].append({**found, "machine": machine})
            NOTES.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(noted, indent=1) + "\n", "utf-8")
            print(f"{each.name}, seed {seed}: {found['digest'][:16]}", flush=True)
    names = [each.name for each in everything]
    return 0 if write_table(ROOT / "docs" / "exactness.md", NOTES, names) else 1


def _processor(name: str) -> str:
    """A processor's name with its family and model, where Linux tells: a virtual one's name says little."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    numbers = {key.strip(): value.strip() for key, value in told.items()}
    if "cpu family" not in numbers:
        return name
    return f"{name}, family {numbers['cpu family']}, model {numbers['model']}"


def _described(each: Circumstance) -> dict[str, Any]:
    return {
        "what": each.what,
        "config": each.config,
        "precision": each.precision,
        "legs": [asdict(leg) for leg in each.legs],
    }


if __name__ == "__main__":
    sys.exit(main())
