"""SIGKILL at random moments, then resume: the run is to the bit what it would have been, in both panels and across."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from diptych.panel import BACKENDS
from diptych.runs.run import Run
from trials.row import PLACE, Counts, Row, chance
from trials.small_run import digests, make_config

PROGRAM = Path(__file__).parents[1] / "programs" / "zygote.py"
KINDS = ("pytorch",) * 13 + ("both", "tensorflow")
"""Of fifteen runs: a training of TensorFlow takes twenty times as long, for it traces its graphs in every process."""
KILLED = -9
PLACES = {"save": "inside a save", "preparation": "inside preparation", "resume": "inside a resume"}


class Zygote:
    """The program that trains, with one framework loaded."""

    def __init__(self, backend: str) -> None:
        command = [sys.executable, str(PROGRAM), backend]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        assert self._line() == "ready\n"

    def work(self, **job: Any) -> dict[str, Any]:
        """Have a job done: how it ended."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self._line())
        return told

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@cache
def zygote(backend: str) -> Zygote:
    """One for each backend, kept as long as this process lives."""
    return Zygote(backend)


@cache
def whole(kind: str) -> tuple[dict[str, str], Counter[str], float]:
    """Of a run that nobody kills: what it leaves, how many operations there are in each place, its seconds."""
    with TemporaryDirectory(prefix="diptych-harden-", dir=PLACE) as folder:
        told, run = _train(Path(folder), kind, "pytorch" if kind == "both" else kind, None)
        assert told["status"] == 0, told
        counts = Counter({place: told[place] for place in ("save", "preparation")})
        return digests(Run.open(run), "pytorch" if kind == "both" else kind), counts, told["seconds"]


def _train(folder: Path, kind: str, backend: str, die: Any, resume: bool = False) -> tuple[dict[str, Any], Path]:
    run, config = folder / "run", folder / "run.toml"
    if not config.exists():
        size = {} if kind == "pytorch" else {"batch_size": 12}
        made = make_config(
            folder / "run.tsv", kind != "pytorch", precision="exact" if kind == "both" else "float32", **size
        )
        config.write_text(made.to_toml(), encoding="utf-8")
    job = {"run": str(run), "config": str(config), "backend": backend, "resume": resume, "die": die}
    return zygote(backend).work(**job), run


def plan(draw: Random) -> list[str]:
    """Where a run is killed, one after the other: in a quarter of them before there is a run."""
    later = draw.choices(("save", "resume", "time"), (6, 2, 2), k=draw.choice((1, 1, 2, 3)))
    if later[0] == "resume":  # there is nothing yet to go on from
        later.insert(0, "save")
    return ["preparation"] * draw.choice((0, 0, 1, 2)) + later


def trial(number: int, folder: Path) -> Counts:
    """Kill a run where chance says, again and again, then let it end and compare."""
    draw, kind = chance("kills", number), KINDS[number % len(KINDS)]
    expected, operations, seconds = whole(kind)
    counts: Counts = Counter({"runs": 1, f"runs, {kind}": 1})
    backend, resume = (draw.choice(BACKENDS) if kind == "both" else kind), False
    for place in plan(draw):
        most = {"time": int(1000 * seconds), "resume": 12}.get(place) or operations[place]
        told, run = _train(folder, kind, backend, [place, draw.randint(1, most)], resume)
        assert told["status"] in (0, KILLED), told
        if told["status"] == KILLED:
            counts["kills"] += 1
            counts[f"kills {PLACES.get(place, 'at a random moment')}"] += 1
        resume, before = (run / "config.toml").exists(), backend
        backend = draw.choice(BACKENDS) if kind == "both" else kind
        counts["changes of panel"] += resume and backend != before
    told, run = _train(folder, kind, backend, None, resume)
    assert told["status"] == 0, told
    found = digests(Run.open(run), backend)
    compared = ("step", "model") if kind == "both" else tuple(expected)  # moments differ by 1e-17 between frameworks
    wrong = [name for name in compared if found[name] != expected[name]]
    assert not wrong, f"run {number} ({kind}): {', '.join(wrong)} differ after {counts['kills']} kills"
    return counts


ROW = Row(
    "SIGKILL at random moments, then resume (dropout, shuffling, EMA, subword sampling and accumulation on)",
    "the same bits in model, optimizer and logged losses as without a kill; where both panels take turns (exact "
    "training), in the model",
    300,
    trial,
)
