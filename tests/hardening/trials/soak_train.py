"""An hour of training in each panel, beside each other: memory and open files stay, nothing is traced anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from diptych.panel import BACKENDS
from trials.growth import BEGIN, grown
from trials.row import Counts, Row

PROGRAM = Path(__file__).parents[1] / "programs" / "soak.py"
SECONDS = 3600.0
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}


def trial(number: int, folder: Path) -> Counts:
    """Train for an hour."""
    counts, faults, started = Counter[str](), [], {}
    for backend in BACKENDS:
        command = [sys.executable, str(PROGRAM), backend, str(SECONDS), str(folder)]
        with (folder / f"{backend}.error").open("wb") as heard:
            started[backend] = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=heard, encoding="utf-8", env=os.environ | QUIET
            )
    for backend, process in started.items():
        said = process.communicate()[0].splitlines()
        if process.returncode:
            faults.append(f"{backend}: {(folder / f'{backend}.error').read_text(encoding='utf-8')[-300:]}")
            continue
        told = json.loads(said[-1])
        looks = told["looks"]
        try:
            before, after = grown(backend, [tuple(look[:3]) for look in looks])
        except AssertionError as error:
            faults.append(str(error))
            continue
        warm = next(look for look in looks if look[0] >= BEGIN * looks[-1][0])
        if looks[-1][3] > warm[3]:
            faults.append(f"{backend}: {looks[-1][3] - warm[3]} graphs traced after the first fifth of the time")
        counts += Counter({
            f"steps, {backend}": told["steps"], f"validations, {backend}": told["validations"],
            f"MB, {backend}, when warm": round(before), f"MB, {backend}, at the end": round(after),
        })  # fmt: skip
    assert not faults, "; ".join(faults)
    return counts


ROW = Row(
    f"{SECONDS / 3600:g} h of training in each panel at once, with subwords drawn anew, validations, translations and "
    "checkpoints",
    "memory grows by less than 5 % from the first fifth on, no file more is open, no graph is traced anew",
    1,
    trial,
)
