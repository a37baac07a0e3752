"""The tables of docs/distributed.md, from what `benchmarks/workers.py` has noted in docs/distributed/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from workers_model import BYTES, SHARDED, exchange_of, fitted

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "site"))
from tables import ROOT, put

from diptych.processes.environment import COMPUTING, environment

GIGABITS, ROWS = (10, 100), (8, 64)
"""Of networks; and of a worker's batch."""
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
    lines = ["| weights | gradient | over 10 Gbit/s | over 100 Gbit/s |", "|---|---|---|---|"]
    for weights in (1e6, 1e7, 5e7):
        seconds = [1000 * exchange_of(weights, 8, gigabits) for gigabits in GIGABITS]
        size = f"{weights / 1e6:.0f} million | {BYTES * weights / 1e6:,.0f} MB"
        lines.append(f"| {size} | {seconds[0]:,.1f} ms | {seconds[1]:,.1f} ms |")
    told = "(For 8 workers of one shard each: each sends and receives 2 (N - 1) / N times the gradient.)"
    return [*lines, "", told]


def _speeds() -> list[str]:
    """What was measured on two cores, and what a step of so many workers would take."""
    lines: list[str] = []
    for note in filter(None, (noted(f"speed-{backend}") for backend in ("pytorch", "tensorflow"))):
        took = {way: median(each) for way, each in note["seconds"].items()}
        size = f"{note['weights'] / 1e6:.1f} million weights, {note['target_tokens']:,.0f} target tokens a step"
        heads = "| on two cores | a step | speed | beside 2 threads with 2 shards |"
        lines += [f"**{note['backend']}**, {size}:", "", heads, "|---|---|---|---|"]
        sharded = took["2 threads, 2 shards"]  # the same shards as two workers have
        for way, seconds in took.items():
            same = f"{sharded / seconds:.2f}" if way.startswith("2 ") else ""
            lines.append(f"| {way} | {1000 * seconds:,.0f} ms | {took['2 threads'] / seconds:.2f} | {same} |")
        if SHARDED.keys() <= took.keys():
            lines += _modelled(note)
        lines += ["", *_machines([note]), ""]
    return lines


def _modelled(note: dict[str, Any]) -> list[str]:
    """The model fitted to it, and how many times as fast more workers would be."""
    model, exchange = fitted(note), 1000 * median(note["exchange"])
    formula = f"{1000 * model.products:,.0f} ms / N x slowest + {1000 * model.fixed:,.0f} ms + exchange"
    heads = [f"{rows} rows each, {gigabits} Gbit/s" for rows in ROWS for gigabits in GIGABITS]
    lines = [
        *("", f"The exchange between two workers here takes {exchange:,.0f} ms. Fitted to that:", ""),
        *(f"Time of a step = {formula}, for N workers of one core; slowest = {model.slowest[8]:.2f} for 8", ""),
        *(f"| workers | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"),
    ]
    for workers in (8, 64, 512):
        given = [(workers * rows / ROWS[-1], gigabits) for rows in ROWS for gigabits in GIGABITS]
        times = [model.times(workers, gigabits, batches) for batches, gigabits in given]
        lines.append(f"| {workers} | {' | '.join(f'{each:,.1f} times' for each in times)} |")
    return lines


def _word(each: dict[str, Any]) -> str:
    """Whether it is as it should; of what was measured before gradients were added up as they are, that it was."""
    said = "yes" if each["good"] else "**no**"
    return f"{said}, before the sum was changed" if each.get("earlier") else said


def _machines(found: list[dict[str, Any]]) -> list[str]:
    """Where it was measured; of two that differ only in what one does not name, the one that names it."""
    machines = [json.loads(text) for text in sorted({json.dumps(each["machine"]) for each in found})]
    told = []
    for machine in machines:
        if any(machine.items() < other.items() for other in machines):
            continue
        versions = [f"{name} {value}" for name, value in machine.items() if name not in ("processor", "processors")]
        told.append(f"Measured on {machine['processors']} cores of {machine['processor']}, with {', '.join(versions)}.")
    return told
