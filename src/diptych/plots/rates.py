"""A learning rate range test: the loss against the rate, and the rate that is suggested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from diptych.errors import UsageError
from diptych.plots.sheet import COLOURS, add_legend, dress, new_sheet, picture_path, save
from diptych.plots.text import FAMILY, INK


def rate_curve(
    backend: str,
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestion: float,
    path: str | Path,
    title: str = "",
) -> None:
    """Draw the loss at each learning rate, the rates on a logarithmic axis.

    Args:
        backend: the framework; it decides the colour.
        rates: the learning rate of each step.
        losses: the loss of each step.
        smoothed: the same, smoothed.
        suggestion: a rate to be marked.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.

    Raises:
        UsageError: the path cannot be written, or there is no step.
    """
    path = picture_path(path)
    if not len(rates):
        raise UsageError("no learning rates to draw: a range test has at least one step")
    colour = COLOURS.get(backend, INK)
    figure = new_sheet()
    axes = figure.add_axes((0.0, 0.0, 7.0, 3.0))
    axes.plot(rates, losses, color=colour, linewidth=4.0, alpha=0.35, label="loss of each step")
    axes.plot(rates, smoothed, color=colour, linewidth=1.2, label="smoothed")
    axes.axvline(suggestion, color=INK, linewidth=1.0, linestyle="--", label=f"suggested: {suggestion:.2g}")
    axes.set_xscale("log")
    dress(axes, "loss per target token")
    axes.set_xlabel("learning rate", family=FAMILY, fontsize=10, color=INK)
    add_legend(axes)
    save(figure, path, title)
