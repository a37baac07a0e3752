"""Whether a process that works for long takes ever more memory, or ever more open files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

MOST = 0.05
"""Memory may grow by less than this share."""
BEGIN, END, WIDTH = 0.2, 1.0, 0.1
"""What is compared: the tenth of the time after the first fifth, when all is warm, with the last tenth."""

Look = tuple[float, float, int]
"""Seconds since the beginning, megabytes in memory, open files."""


def used(process: int | str = "self") -> tuple[float, int]:
    """Megabytes in memory and open files of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6, len(os.listdir(f"/proc/{process}/fd"))


def children(process: int) -> list[int]:
    """A process's children, theirs, and so on, in the order of their numbers."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    family = {process}
    for child in sorted(parents):  # whoever is born later has the higher number, but for those that begin anew
        family |= {child} if parents[child] in family else set()
    return sorted(family - {process})


def grown(what: str, looks: Sequence[Look]) -> tuple[float, float]:
    """Megabytes before and after, medians both.

    Raises:
        AssertionError: there are 5 % more, or more open files.
    """
    whole = looks[-1][0]
    early = [look for look in looks if BEGIN * whole <= look[0] < (BEGIN + WIDTH) * whole]
    late = [look for look in looks if look[0] >= (END - WIDTH) * whole]
    assert early and late, f"{what}: looked at {len(looks)} times only"
    before, after = (median(look[1] for look in each) for each in (early, late))
    assert after < (1 + MOST) * before, f"{what}: memory grew from {before:.0f} to {after:.0f} MB"
    # Files come and go with connections: the fewest are what is always open.
    files, more = (min(look[2] for look in each) for each in (early, late))
    assert more <= files, f"{what}: {files} files were open, then {more}"
    return before, after
