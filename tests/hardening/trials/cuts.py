"""Each file of a run cut at every 1,000th of its length: refused, or read as it was."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from trials.damage import files, read_damaged, whole
from trials.row import Counts, Row

PARTS = 1000


def trial(number: int, folder: Path) -> Counts:
    """Cut each file, one after the other, to so many 1,000ths and read the run."""
    original, counts, run = whole()[0], Counter[str](), folder / "run"
    shutil.copytree(original, run)
    for name in files(original):
        content = (original / name).read_bytes()
        (run / name).write_bytes(content[: len(content) * number // PARTS])
        counts[read_damaged(run, f"{name} cut to {number} of {PARTS}")] += 1
        shutil.rmtree(run)
        shutil.copytree(original, run)
    return counts


ROW = Row(
    f"each file of a run cut at every {PARTS:,}th of its length",
    "refused with a reason, or read as it was; never a traceback",
    PARTS,
    trial,
)
