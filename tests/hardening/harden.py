"""`make harden`: every row of docs/reliability.md tried as often as it says, resumable, and the table written.

    python tests/hardening/harden.py [--rows NAME,...] [--seconds S] [--results FILE] [--table]

What has been done stands in docs/reliability.json, trial by trial: stop it at any time, and the same command goes on.
`--rows` names files of tests/hardening/trials; two commands with different rows may run at once. `--table` only writes
the table.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import platform
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[2] / "scripts" / "site"))
from tables import DOCS, put
from trials.row import PLACE

HERE = Path(__file__).parent
RESULTS = DOCS / "reliability.json"
SAVE_SECONDS = 5.0


def names() -> list[str]:
    """The rows' files, in the order of the table."""
    files = (HERE / "trials" / "__init__.py").read_text(encoding="utf-8")
    return [line.split()[1] for line in files.splitlines() if line.startswith("    - ")]


def go_on(name: str, path: Path, until: float) -> None:
    """Try what is left of a row."""
    row = import_module(f"trials.{name}").ROW
    told = read(path)["rows"].get(name, {"done": 0, "seconds": 0.0, "counts": {}, "faults": []})
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
            write(path, name, told)
    write(path, name, told)
    print(f"{name}: {told['done']} of {row.trials} trials, {len(told['faults'])} faults", flush=True)


def read(path: Path) -> dict[str, Any]:
    """What has been done so far."""
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": {}}
    return results


def write(path: Path, name: str, told: dict[str, Any]) -> None:
    """Write what has been done of a row, whole or not at all; the others are as another process may have left them."""
    with Path(__file__).open(encoding="utf-8") as lock:  # this very file is what they agree on
        fcntl.flock(lock, fcntl.LOCK_EX)
        results = read(path)
        now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        machine = f"{platform.system()} {platform.machine()}"
        results["circumstances"] = {"machine": machine, "python": platform.python_version(), "time": now}
        results["rows"][name] = told
        building = path.with_suffix(".new")
        building.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        building.replace(path)


def table(results: dict[str, Any]) -> list[str]:
    """What has been done, in lines of Markdown."""
    lines = ["| what was tried | what must hold | trials | counted | faults |", "|---|---|---|---|---|"]
    for name in names():
        told = results["rows"].get(name)
        if told is None:
            continue
        counts = "; ".join(f"{count:,} {what}" for what, count in told["counts"].items() if count)
        trials = import_module(f"trials.{name}").ROW.trials
        part = "" if told["done"] >= trials else f" of {trials:,}"
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
    options.add_argument(
        "--results", type=Path, default=RESULTS, metavar="FILE", help="instead of docs/reliability.json"
    )
    options.add_argument("--table", action="store_true")
    given = options.parse_args()
    tempfile.tempdir = str(PLACE)
    for name in () if given.table else given.rows.split(","):
        go_on(name, given.results, time.monotonic() + given.seconds)
    results = read(given.results)
    put("reliability", "trials", table(results), by="tests/hardening/")
    return int(any(told["faults"] for told in results["rows"].values()))


if __name__ == "__main__":
    sys.exit(main())
