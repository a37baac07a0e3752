"""The tables of docs/distributed.md, from what `benchmarks/workers.py` has noted in docs/distributed/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "site"))
from tables import ROOT, put

from diptych.processes.environment import COMPUTING, environment

BYTES = 16
"""Of each weight, in what a step adds up: two whole numbers of 64 bits."""
UNMEASURED = "(Nothing has been measured yet on this version: `make workers`.)"
NOTES = ROOT / "docs" / "distributed"
DATA_STEPS = ("prepare", "open_again", "order")


def noted(name: str) -> dict[str, Any] | None:
    """What docs/distributed/NAME.json says, if it is there."""
    path = NOTES / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def machine_of() -> dict[str, Any]:
    """Where something is measured: the processor, and the packages that compute."""
    found = environment()
    packages = {each: found["packages"][each] for each in COMPUTING if each in found["packages"]}
    return {"processor": found["processor"], "processors": found["usable_processors"], **packages}


def write_tables(names: list[str]) -> None:
    """Write the table of equalities, that of faults, and where they were measured."""
    found = [each for name in names if (each := noted(name))]
    lines = ["| training | workers | SHA-256 of the weights | equal |", "|---|---|---|---|"]
    for each in found:
        if "digests" in each:
            numbers, seen = ", ".join(map(str, each["workers"])), sorted({d[:12] for d in each["digests"].values()})
            lines.append(f"| {each['what']} | {numbers} | {', '.join(f'`{d}…`' for d in seen)} | {_word(each)} |")
    if len(lines) == 2:
        lines = [UNMEASURED]
    put("distributed", "equalities", [*lines, "", *_machines([each for each in found if "digests" in each])])
    lines = ["| what was done | trials | what came of it | as it should |", "|---|---|---|---|"]
    for each in found:
        if "came" in each:
            came = each["came"].replace("|", "/")
            lines.append(f"| {each['what']} | {each['trials']} | {came} | {_word(each)} |")
    if len(lines) == 2:
        lines = [UNMEASURED]
    put("distributed", "faults", [*lines, "", *_machines([each for each in found if "came" in each])])
    put("distributed", "data", _data())
    put("distributed", "model", [*_sizes(), "", *_speeds()])


def _data() -> list[str]:
    """What a large corpus costs."""
    if not (found := noted("data")):
        return [UNMEASURED]
    lines = ["| pairs | preparing them, once | opening them, each worker | an epoch's order, each worker |"]
    lines += ["|---|---|---|---|"]
    for row in found["rows"]:
        cells = [f"{row[each]['seconds']:,.1f} s; {row[each]['bytes'] / 1e6:,.0f} MB" for each in DATA_STEPS]
        lines.append(f"| {row['pairs']:,} | {' | '.join(cells)} |")
    return [*lines, "", *_machines([found])]


def _sizes() -> list[str]:
    """What a step exchanges, by the number of weights."""
    lines = ["| weights | a step's sum | over 10 Gbit/s | over 100 Gbit/s |", "|---|---|---|---|"]
    for weights in (1e6, 1e7, 5e7):
        seconds = [1000 * _exchange(weights, 8, gigabits) for gigabits in (10, 100)]
        size = f"{weights / 1e6:.0f} million | {BYTES * weights / 1e6:,.0f} MB"
        lines.append(f"| {size} | {seconds[0]:,.1f} ms | {seconds[1]:,.1f} ms |")
    return [*lines, "", "(For 8 workers: each sends and receives 2 (N - 1) / N times the sum.)"]


def _exchange(weights: float, workers: int, gigabits: float) -> float:
    """Seconds of one sum over a ring, by its bytes alone."""
    return 2 * (workers - 1) / workers * BYTES * weights * 8 / (gigabits * 1e9)


def _speeds() -> list[str]:
    """What was measured on two cores, and what a step of so many workers would take by the model fitted to it."""
    lines: list[str] = []
    for each in filter(None, (noted(f"speed-{backend}") for backend in ("pytorch", "tensorflow"))):
        speeds, tokens, weights = each["speeds"], each["target_tokens"], each["weights"]
        alone = speeds["alone"]
        lines += [
            f"**{each['backend']}**, {weights / 1e6:.1f} million weights, {tokens:,.0f} target tokens a step:",
            "",
        ]
        lines += ["| on two cores | target tokens/s | of one process with 2 threads |", "|---|---|---|"]
        lines += [f"| {way} | {speed:,.0f} | {speed / alone:.2f} |" for way, speed in speeds.items()]
        # A worker of one core: its own shard, and beside it what dividing and adding up cost.
        step = tokens / speeds["alone, 1 thread"]
        fixed = max(0.0, tokens / speeds["2 workers"] - step / 2)
        lines += ["", f"Time of a step = {step:.2f} s / N + {fixed:.3f} s + exchange, for N workers of one core:", ""]
        lines += ["| workers | same batch, 10 Gbit/s | 100 Gbit/s | batch N times as large, 10 Gbit/s | 100 Gbit/s |"]
        lines += ["|---|---|---|---|---|"]
        for workers in (8, 64, 512):
            exchanges = [_exchange(weights, workers, gigabits) for gigabits in (10, 100)]
            same = [step / (step / workers + fixed + seconds) for seconds in exchanges]
            more = [workers * step / (step + fixed + seconds) for seconds in exchanges]
            lines.append(f"| {workers} | {' | '.join(f'{times:,.1f} times' for times in (*same, *more))} |")
        lines += ["", *_machines([each]), ""]
    return lines


def _word(each: dict[str, Any]) -> str:
    return "yes" if each["good"] else "**no**"


def _machines(found: list[dict[str, Any]]) -> list[str]:
    told = []
    for text in sorted({json.dumps(each["machine"]) for each in found}):
        machine = json.loads(text)
        versions = [f"{name} {value}" for name, value in machine.items() if name not in ("processor", "processors")]
        told.append(f"Measured on {machine['processors']} cores of {machine['processor']}, with {', '.join(versions)}.")
    return told
