"""`make harden`: every row of docs/reliability.md tried as often as it says, resumable, and the table written.

    python tests/hardening/harden.py [--rows NAME,...] [--seconds S] [--table]

What has been done stands in docs/reliability.json, trial by trial: stop it at any time, and the same command goes on.
`--rows` names files of tests/hardening/trials; `--table` only writes the table.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[2] / "scripts" / "site"))
from tables import DOCS, put

HERE = Path(__file__).parent
RESULTS = DOCS / "reliability.json"
SAVE_SECONDS = 5.0


def names() -> list[str]:
    """The rows' files, in the order of the table."""
    files = (HERE / "trials" / "__init__.py").read_text(encoding="utf-8")
    return [line.split()[1] for line in files.splitlines() if line.startswith("    - ")]


def go_on(name: str, results: dict[str, Any], until: float) -> None:
    """Try what is left of a row."""
    row = import_module(f"trials.{name}").ROW
    told = results["rows"].setdefault(name, {"done": 0, "seconds": 0.0, "counts": {}, "faults": []})
    told |= {"name": row.name, "holds": row.holds, "trials": row.trials}
    counts, saved = Counter(told["counts"]), 0.0
    while told["done"] < row.trials and time.monotonic() < until:
        begun = time.monotonic()
        try:
            counts += row.try_once(told["done"])
        except AssertionError as error:
            told["faults"].append(f"{told['done']}: {str(error)[:400]}")
            print(f"{name}: {told['faults'][-1]}", flush=True)
        told["done"] += 1
        told["counts"] = dict(sorted(counts.items()))
        told["seconds"] = round(told["seconds"] + time.monotonic() - begun, 1)
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            write(results)
    write(results)
    print(f"{name}: {told['done']} of {row.trials} trials, {len(told['faults'])} faults", flush=True)


def write(results: dict[str, Any]) -> None:
    """Write what has been done, whole or not at all."""
    building = RESULTS.with_suffix(".new")
    building.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    building.replace(RESULTS)


def table(results: dict[str, Any]) -> list[str]:
    """What has been done, in lines of Markdown."""
    lines = ["| what was tried | what must hold | trials | counted | faults |", "|---|---|---|---|---|"]
    for name in names():
        told = results["rows"].get(name)
        if told is None:
            continue
        counts = "; ".join(f"{count:,} {what}" for what, count in told["counts"].items() if count)
        part = "" if told["done"] >= told["trials"] else f" of {told['trials']:,}"
        lines.append(
            f"| {told['name']} | {told['holds']} | {told['done']:,}{part} | {counts} | {len(told['faults'])} |"
        )
    where = results["circumstances"]
    return [*lines, "", f"{where['machine']}, Python {where['python']}; last gone on with {where['time']}."]


def main() -> int:
    """Go on with every row, and write the table; 1 where something did not hold."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default=",".join(names()))
    options.add_argument("--seconds", type=float, default=1e9, help="of each row at most")
    options.add_argument("--table", action="store_true")
    given = options.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"rows": {}}
    if not given.table:
        now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        machine = f"{platform.system()} {platform.machine()}"
        results["circumstances"] = {"machine": machine, "python": platform.python_version(), "time": now}
        for name in given.rows.split(","):
            go_on(name, results, time.monotonic() + given.seconds)
    put("reliability", "trials", table(results), by="tests/hardening/")
    return int(any(told["faults"] for told in results["rows"].values()))


if __name__ == "__main__":
    sys.exit(main())
