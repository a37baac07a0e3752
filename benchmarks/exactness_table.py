"""The tables of docs/exactness.md, from what the other `exactness` programs have noted in docs/exactness/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "site"))
from tables import ROOT, put

NOTES = ROOT / "docs" / "exactness"


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


def _circumstances(machine: dict[str, str]) -> str:
    versions = [f"{name} {version}" for name, version in machine.items() if name != "processor"]
    return f"Measured on {machine['processor']}, with {', '.join(versions)}."
