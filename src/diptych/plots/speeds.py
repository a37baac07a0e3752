"""Speeds as bars, with the spread of what was measured and, where it is known, what the machine could do at most."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diptych.errors import UsageError
from diptych.panel import NAMES
from diptych.plots.sheet import COLOURS, new_sheet, picture_path, save
from diptych.plots.text import FAMILY, INK, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Speeds = Mapping[str, Sequence[float]]
"""For each backend, its measurements."""


def speed_bars(
    quantities: Mapping[str, Speeds],
    path: str | Path,
    title: str = "",
    ceilings: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Draw the median speed of each backend as a bar, every measurement as a dot and their range as a line.

    Args:
        quantities: what was measured, unit included, and for each the backends' measurements.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.
        ceilings: by quantity and backend, the most that the machine could reach.

    Raises:
        UsageError: the path cannot be written, or nothing was measured.
    """
    path = picture_path(path)
    drawn = {
        quantity: {name: speeds for name, speeds in measured.items() if speeds}
        for quantity, measured in quantities.items()
    }
    drawn = {quantity: measured for quantity, measured in drawn.items() if measured}
    if not drawn:
        raise UsageError("no speeds to draw: nothing was measured")
    figure = new_sheet()
    bottom = 0.0
    for quantity, measured in drawn.items():
        high = 0.42 * len(measured)
        axes = figure.add_axes((0.0, bottom - high, 5.6, high))
        _draw_bars(axes, measured, (ceilings or {}).get(quantity, {}))
        axes.set_title(printable(quantity), fontsize=10, family=FAMILY, color=INK, loc="left", pad=4)
        bottom -= high + 0.75
    save(figure, path, title)


def _draw_bars(axes: Axes, measured: Speeds, ceilings: Mapping[str, float]) -> None:
    """One quantity: a bar for each backend, the first on top, and what it says in figures beside it."""
    for row, (name, speeds) in enumerate(measured.items()):
        colour, middle = COLOURS.get(name, INK), statistics.median(speeds)
        axes.barh(row, middle, height=0.62, color=colour, alpha=0.4)
        axes.plot((min(speeds), max(speeds)), (row, row), color=colour, linewidth=1.6)
        jitter = 0.16 * np.sin(2.4 * np.arange(len(speeds)))  # so that equal ones do not cover each other
        axes.plot(speeds, row + jitter, linestyle="", marker="o", markersize=2.8, color=colour, alpha=0.75)
        text = (
            f"{middle:,.0f}  ({min(speeds):,.0f}\N{EN DASH}{max(speeds):,.0f})" if len(speeds) > 1 else f"{middle:,.0f}"
        )
        if name in ceilings:
            axes.plot((ceilings[name],) * 2, (row - 0.4, row + 0.4), color=INK, linewidth=1.6)
            text += f", {middle / ceilings[name]:.0%} of {ceilings[name]:,.0f}"
        axes.annotate(
            text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, family=FAMILY, color=INK
        )
    axes.set_yticks(
        range(len(measured)), [printable(NAMES.get(name, name)) for name in measured], fontsize=10, family=FAMILY
    )
    axes.set_ylim(len(measured) - 0.5, -0.5)
    axes.set_xlim(0, 1.04 * max(*ceilings.values(), 0.0, *(max(speeds) for speeds in measured.values())))
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines[:].set_color("#808080")
    axes.tick_params(length=0, labelcolor=INK)
    axes.tick_params(axis="x", labelsize=9, labelfontfamily=FAMILY[0])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
