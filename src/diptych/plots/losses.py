"""Loss curves, and the gap between two of them on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from diptych.errors import UsageError
from diptych.panel import NAMES
from diptych.plots.sheet import COLOURS, MARKERS, add_legend, dress, new_sheet, picture_path, save
from diptych.plots.text import FAMILY, INK, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = npt.NDArray[np.float64]


def loss_curves(
    losses: Mapping[str, Sequence[float]],
    path: str | Path,
    title: str = "",
    validation: Mapping[str, Sequence[tuple[int, float]]] | None = None,
) -> None:
    """Draw the loss of each backend over the steps and, of two, the gap between them on a logarithmic axis.

    Args:
        losses: for each backend the loss of each optimizer step.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.
        validation: for each backend the (step, loss) of its validations.

    Raises:
        UsageError: the path cannot be written, or no backend has any loss.
    """
    path = picture_path(path)
    curves = {name: np.asarray(values, np.float64) for name, values in losses.items()}
    if not any(curve.size for curve in curves.values()):
        raise UsageError("no losses to draw: train for at least one step first")
    figure = new_sheet()
    upper = figure.add_axes((0.0, 0.0, 7.0, 3.0))
    _draw_curves(upper, curves, validation or {})
    lower = upper
    if len(curves) == 2:
        lower = figure.add_axes((0.0, -2.0, 7.0, 1.75), sharex=upper)
        upper.tick_params(labelbottom=False)
        _draw_gap(lower, curves)
    lower.set_xlabel("optimizer step", family=FAMILY, fontsize=10, color=INK)
    upper.set_xlim(0, max(curve.size for curve in curves.values()) * 1.01 + 1)
    save(figure, path, title)


def _draw_curves(
    axes: Axes, curves: Mapping[str, Curve], validation: Mapping[str, Sequence[tuple[int, float]]]
) -> None:
    """Both losses. Equal curves cover each other: the first is broad and pale, the next thin on top of it."""
    styles: list[dict[str, Any]] = [{"linewidth": 4.0, "alpha": 0.45}, {"linewidth": 1.0}]
    for number, (name, curve) in enumerate(curves.items()):
        colour, shown = COLOURS.get(name, INK), label(NAMES.get(name, name))
        marker = "o" if curve.size == 1 else ""
        style = styles[min(number, 1)]
        axes.plot(np.arange(1, curve.size + 1), curve, color=colour, label=shown, marker=marker, **style)
        if validation.get(name):
            steps, values = zip(*validation[name], strict=True)
            axes.plot(
                steps, values, linestyle="", marker=MARKERS.get(name, "s"), markersize=9 - 4 * number,
                markerfacecolor="white" if number == 0 else colour, markeredgecolor=colour,
                label=f"{shown}, validation", zorder=3 + number,
            )  # fmt: skip
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves.values()])
    if finite.size and finite.min() > 0.0 and finite.max() > 20.0 * finite.min():
        axes.set_yscale("log")
    dress(axes, "loss per target token")
    add_legend(axes)


def _draw_gap(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """The distance between two curves at each step both have."""
    (first, before), (second, after) = curves.items()
    common = min(before.size, after.size)
    gap = np.abs(after[:common] - before[:common])
    drawn = np.where(gap > 0.0, gap, np.nan)  # a logarithmic axis has no zero
    axes.plot(np.arange(1, common + 1), drawn, color=INK, linewidth=0.9, marker="." if common < 100 else "")
    dress(axes, f"|{NAMES.get(second, second)} \N{MINUS SIGN} {NAMES.get(first, first)}|")
    if np.isfinite(drawn).any():
        axes.set_yscale("log")
    else:
        axes.set_yticks([])
    if not common:
        note = "no step in common"
    elif gap.any():
        equal = int((gap == 0.0).sum())
        note = f"largest gap {gap.max():.1e}" + (f"; no gap at {equal:,} of {common:,} steps" if equal else "")
    else:
        note = "no gap: every loss is the same number"
    axes.text(0.99, 0.06, note, transform=axes.transAxes, ha="right", family=FAMILY, fontsize=10, color=INK)
