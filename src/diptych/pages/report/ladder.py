"""The parity ladder as rows of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.pages.report.charts import Axis

BAR = 200  # CSS pixels
# From below the spacing of float64 near 1 to 10: gaps and limits are drawn on one logarithmic scale.
SCALE = Axis(1e-19, high=10.0, start=0.0, end=BAR, logarithmic=True)


@dataclass(frozen=True)
class Rung:
    """One rung in one precision.

    Attributes:
        name, precision: which.
        gap, limit: between the frameworks, or of JavaScript and the farther of them, as written; for searches, how many
            sentences differ, and 0.
        ulps: the gap in units of the last place; "" for searches.
        reference: the larger gap to the reference, as written; "" where it was not measured.
        holds: whether it does, to the reference too.
        tensor: which tensor comes closest to its limit.
        note: what else is to be said.
        places: where gap and limit stand on the scale; None for searches, and where there is no gap at all.
    """

    name: str
    precision: str
    gap: str
    limit: str
    ulps: str
    reference: str
    holds: bool
    tensor: str
    note: str
    places: tuple[float, float] | None


def rungs(levels: Sequence[Mapping[str, Any]]) -> list[Rung]:
    """The rows of a report's `parity.levels`: one for each rung and precision."""
    levels_of: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for level in levels:
        levels_of.setdefault((level["name"], level["precision"]), []).append(level)
    return [_rung(name, precision, inside) for (name, precision), inside in levels_of.items()]


def _rung(name: str, precision: str, levels: Sequence[Mapping[str, Any]]) -> Rung:
    apart = [level for level in levels if "reference" not in level["between"]]
    frameworks = max(apart, key=lambda level: level["max_abs_difference"])
    others = [level["max_abs_difference"] for level in levels if "reference" in level["between"]]
    searched = name.endswith("tokens")

    def show(value: float) -> str:
        return f"{value:.0f}" if searched or value == 0.0 else f"{value:.1e}"

    gap, limit = frameworks["max_abs_difference"], frameworks["limit"]
    return Rung(
        name=name,
        precision=precision,
        gap=show(gap),
        limit=show(limit),
        ulps="" if searched else f"{frameworks['ulps']:,.1f}",
        reference=show(max(others)) if others else "",
        holds=all(level["holds"] for level in levels),
        tensor=frameworks["tensor"],
        note="; ".join(dict.fromkeys(level["note"] for level in levels if level["note"])),
        places=None if searched or not gap or not limit else (SCALE.place(gap), SCALE.place(limit)),
    )
