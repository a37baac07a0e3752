"""The tables of docs/distributed.md, from what `benchmarks/workers.py` has noted in docs/distributed/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE, NOTES = ROOT / "docs" / "distributed.md", ROOT / "docs" / "distributed"


def noted(name: str) -> dict[str, Any] | None:
    """What docs/distributed/NAME.json says, if it is there."""
    path = NOTES / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def put(name: str, lines: list[str]) -> None:
    """Write lines between the page's two marks of this name."""
    begin, end = f"<!-- {name}: written by benchmarks/ -->", f"<!-- end of {name} -->"
    before, found, rest = PAGE.read_text("utf-8").partition(begin)
    if not found:
        raise SystemExit(f"{PAGE} has no line {begin}: write it where the table belongs")
    PAGE.write_text(f"{before}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{rest.partition(end)[2]}", "utf-8")


def write_tables(names: list[str]) -> None:
    """Write the table of equalities, that of faults, and where they were measured."""
    found = [each for name in names if (each := noted(name))]
    lines = ["| training | workers | SHA-256 of the weights | equal |", "|---|---|---|---|"]
    for each in found:
        if "digests" in each:
            numbers, seen = ", ".join(map(str, each["workers"])), sorted({d[:12] for d in each["digests"].values()})
            lines.append(f"| {each['what']} | {numbers} | {', '.join(f'`{d}…`' for d in seen)} | {_word(each)} |")
    put("equalities", [*lines, "", *_machines([each for each in found if "digests" in each])])
    lines = ["| what was done | trials | what came of it | as it should |", "|---|---|---|---|"]
    for each in found:
        if "came" in each:
            came = each["came"].replace("|", "/")
            lines.append(f"| {each['what']} | {each['trials']} | {came} | {_word(each)} |")
    put("faults", [*lines, "", *_machines([each for each in found if "came" in each])])


def _word(each: dict[str, Any]) -> str:
    return "yes" if each["good"] else "**no**"


def _machines(found: list[dict[str, Any]]) -> list[str]:
    told = []
    for text in sorted({json.dumps(each["machine"]) for each in found}):
        machine = json.loads(text)
        versions = [f"{name} {value}" for name, value in machine.items() if name not in ("processor", "processors")]
        told.append(f"Measured on {machine['processors']} cores of {machine['processor']}, with {', '.join(versions)}.")
    return told
