"""The parity ladder as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from diptych.ladder.javascript import JAVASCRIPT
from diptych.ladder.ladder import Parity
from diptych.ladder.limits import Level


def print_parity(levels: Sequence[Level], console: Console | None = None) -> None:
    """Print one row per rung and precision: the gap between the frameworks, and the larger gap to the reference."""
    console = console or Console()
    title = "TensorFlow to PyTorch, and the farther of them to the reference"
    if any(JAVASCRIPT in level.between for level in levels):
        title += "; JavaScript to the farther"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("rung", "precision"):
        table.add_column(column, no_wrap=True)
    for column in ("gap", "limit", "ulp", "reference"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("holds", no_wrap=True)
    rungs = dict.fromkeys((level.name, level.precision) for level in levels)
    for name, precision in rungs:
        compared = [level for level in levels if (level.name, level.precision) == (name, precision)]
        apart = [level for level in compared if "reference" not in level.between]
        frameworks = max(apart, key=lambda level: level.max_abs_difference)
        against = [level.max_abs_difference for level in compared if "reference" in level.between]
        table.add_row(
            name,
            precision,
            _number(frameworks.max_abs_difference, name),
            _number(frameworks.limit, name),
            "" if name.endswith("tokens") else _short(frameworks.ulps),
            _number(max(against), name) if against else "",
            "yes" if all(level.holds for level in compared) else "[bold red]NO[/]",
        )
    console.print(table)
    broken = [level for level in levels if not level.holds]
    for level in broken + [level for level in levels if level.holds and level.note]:
        tensor = f"{level.name}, {level.precision}, {' to '.join(level.between)}: {level.tensor}"
        gap = f"gap {level.max_abs_difference:.2e}, limit {level.limit:.2e}"
        text = f"{tensor}: {gap}{f'; {level.note}' if level.note else ''}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    rungs_text = f"{len(rungs)} rungs"
    verdict = f"every one of {rungs_text} holds" if not broken else f"{len(broken)} comparisons do not hold"
    console.print(verdict + (": diptych parity --locate names what differs" if broken else ""))


def print_location(proof: Parity) -> None:
    """Print the rungs that do not hold, and the first tensor that differs."""
    for level in proof.broken:
        note = f"; {level.note}" if level.note else ""
        print(f"{level.name}, {level.precision}, does not hold: {level.tensor}{note}")
    if proof.location is not None:
        print(proof.location)
    else:
        print("every rung holds: no tensor differs" if proof.holds else "no component differs by itself")


def _number(value: float, name: str) -> str:
    return f"{value:.0f}" if name.endswith("tokens") else f"{value:.1e}"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 1000.0 else f"{value:.0e}"
