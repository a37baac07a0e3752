"""Batches of ever new shapes in each panel: no graph is traced for each, memory and open files stay."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from diptych.panel import BACKENDS
from trials.row import Counts, Row

PROGRAM = Path(__file__).parents[1] / "programs" / "shapes.py"
SHAPES = 5000


def trial(number: int, folder: Path) -> Counts:
    """All shapes in one panel."""
    backend = BACKENDS[number]
    command = [sys.executable, str(PROGRAM), backend, str(SHAPES)]
    found = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=folder)
    assert found.returncode == 0, f"{backend}: {found.stderr[-300:]}"
    told = json.loads(found.stdout.splitlines()[-1])
    (before, files), (after, more_files) = told["before"], told["after"]
    growth = after / before - 1
    assert growth < 0.05, f"{backend}: memory grew by {growth:.1%}, from {before:.0f} to {after:.0f} MB"
    assert more_files <= files, f"{backend}: {files} files were open, then {more_files}"
    assert not told["traced"], f"{backend}: {told['traced']} graphs traced after the first thousand shapes"
    return Counter({f"shapes in {backend}": SHAPES, f"kB more in {backend}": max(0, round(1000 * (after - before)))})


ROW = Row(
    f"{SHAPES:,} batches of new shapes trained in each panel, every tenth translated",
    "memory grows by less than 5 % from the first fifth on, no file more is open, no graph is traced anew",
    len(BACKENDS),
    trial,
)
