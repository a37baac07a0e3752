"""The tables of docs/exactness.md, from what the other `exactness` programs have noted in docs/exactness/."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "site"))
from tables import ROOT, put

NOTES = ROOT / "docs" / "exactness"
NAMES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}
MEASURES = {"exact_match": "exact match, %", "bleu": "BLEU"}


def noted(name: str) -> dict[str, Any] | None:
    """What docs/exactness/NAME.json says, if it is there."""
    path = NOTES / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def write_tables(names: list[str]) -> bool:
    """Write the table of circumstances; tell whether every digest is that of the first with its seed."""
    found = [each for name in names if (each := noted(name))]
    expected: dict[int, str] = {}
    for each in found:
        for measured in each["measured"]:
            expected.setdefault(measured["seed"], measured["digest"])
    lines = ["| circumstances | seeds | steps | weights | equal to the last bit |", "|---|---|---|---|---|"]
    processors = list(dict.fromkeys(m["machine"]["processor"] for each in found for m in each["measured"]))
    whole = True
    for processor in processors:
        if len(processors) > 1:
            lines.append(f"| **{processor}** | | | | |")
        for each in found:
            measured = [m for m in each["measured"] if m["machine"]["processor"] == processor]
            if measured:
                equal = [m["digest"] == expected[m["seed"]] for m in measured]
                whole = whole and all(equal)
                seeds = ", ".join(str(m["seed"]) for m in measured)
                sizes = f"{measured[0]['steps']:,} | {measured[0]['weights']:,}"
                lines.append(f"| {each['what']} | {seeds} | {sizes} | {sum(equal)} of {len(equal)} |")
    lines += ["", "| seed | SHA-256 of the weights | nearest to halfway | near ties |", "|---|---|---|---|"]
    for seed, digest in expected.items():
        measured = [m for each in found for m in each["measured"] if m["seed"] == seed]
        margins, ties = [m["margin"] for m in measured], sorted({m["ties"] for m in measured})
        lines.append(f"| {seed} | `{digest}` | {min(margins):.1e} | {', '.join(map(str, ties))} |")
    machines = {json.dumps(m["machine"]) for each in found for m in each["measured"]}
    lines += ["", *(_circumstances(json.loads(text)) for text in sorted(machines))]
    put("exactness", "circumstances", lines)
    return whole


def write_cost() -> None:
    """Write what exact training costs: the median of the rounds' ratios, in brackets the least and the most."""
    told = noted("cost")
    if told is None:
        return
    lines = [
        "| model | framework | time: float64 / float32 | time: exact / float32 | time: exact / float64 "
        "| digest, of the time | peak memory: float64 / float32 | peak memory: exact / float32 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size, found in told["sizes"].items():
        lines += [
            _cost(size, NAMES[backend], found[backend], told["digest_every"]) for backend in NAMES if backend in found
        ]
    put("exactness", "cost", [*lines, "", f"One thread. {_circumstances(told['machine'])}"])


def _cost(size: str, framework: str, found: dict[str, Any], every: int) -> str:
    times, peaks = found["seconds_per_target_token"], found["peak_bytes_of_each"]

    def ratio(one: str, other: str) -> str:
        each = [a / b for a, b in zip(times[one], times[other], strict=True)]
        return f"{statistics.median(each):.2f} ({min(each):.2f} - {max(each):.2f})"

    step = statistics.median(times["exact"]) * found["target_tokens_per_step"]
    cells = [size, framework, ratio("float64", "float32"), ratio("exact", "float32"), ratio("exact", "float64")]
    cells += [f"{100.0 * found['digest_seconds'] / (every * step):.2g} %"]
    cells += [f"{peaks[precision] / peaks['float32']:.2f}" for precision in ("float64", "exact")]
    return f"| {' | '.join(cells)} |"


def write_quality() -> None:
    """Write the table of whole recipes' scores in float32 and in exact training."""
    told = noted("quality")
    if told is None:
        return
    lines = ["| recipe | score of the test part | float32, by seed | exact, by seed |", "|---|---|---|---|"]
    recipes = dict.fromkeys((each["recipe"], each["measure"]) for each in told["found"])
    for recipe, measure in recipes:
        cells = [f"`{recipe}`", MEASURES[measure]]
        for precision in ("float32", "exact"):
            found = [each for each in told["found"] if (each["recipe"], each["precision"]) == (recipe, precision)]
            cells.append(", ".join(f"{each['score']:.2f}" for each in sorted(found, key=lambda each: each["seed"])))
        lines.append(f"| {' | '.join(cells)} |")
    put("exactness", "quality", lines)


def _circumstances(machine: dict[str, str]) -> str:
    versions = [f"{name} {version}" for name, version in machine.items() if name != "processor"]
    return f"Measured on {machine['processor']}, with {', '.join(versions)}."
