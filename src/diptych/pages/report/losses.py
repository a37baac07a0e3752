"""Both loss curves, and the gap between them on a logarithmic axis, as a chart of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.pages.report.charts import Axis, Tick, axis, path, thin
from diptych.panel import NAMES

WIDTH, LEFT, RIGHT = 760, 64, 752
UPPER, LOWER = (14, 244), (276, 396)
# The page's slider stops at every step, or at so many of them.
STOPS = 2000


@dataclass(frozen=True)
class Curve:
    """One backend's losses: the line's `d`, and where its validations are."""

    backend: str
    line: str
    validations: list[tuple[float, float]]


@dataclass(frozen=True)
class LossChart:
    """Everything the template draws, in CSS pixels.

    Attributes:
        curves: one for each backend.
        gap: the `d` of the line of the gap.
        steps, losses, gaps: ticks along the bottom, beside the curves and beside the gap.
        equal: at how many steps there is no gap at all.
        common: how many steps both have.
        stops: for the slider, the step, its place, and the two losses.
    """

    curves: list[Curve]
    gap: str
    steps: list[Tick]
    losses: list[Tick]
    gaps: list[Tick]
    equal: int
    common: int
    stops: list[list[float]]


def loss_chart(backends: Mapping[str, Mapping[str, Any]]) -> LossChart:
    """The chart of the `backends` of a report."""
    losses = {backend: [float(loss) for loss in values["training"]["losses"]] for backend, values in backends.items()}
    first, second = losses.values()
    common = min(len(first), len(second))
    gap = [abs(one - other) for one, other in zip(first, second)]
    every = [*first, *second]
    steps = Axis(0.0, high=max(len(first), len(second), 1) * 1.005, start=LEFT, end=RIGHT)
    height = axis(every, UPPER[1], end=UPPER[0], logarithmic=min(every) > 0.0 and max(every) > 20.0 * min(every))
    depth = axis(gap, LOWER[1], LOWER[0], logarithmic=True)
    shown = [value if value > 0.0 else math.nan for value in gap]  # a logarithmic axis has no zero
    stride = max(1, math.ceil(common / STOPS))
    return LossChart(
        curves=[
            Curve(
                backend,
                _line(curve, steps, height),
                [
                    (steps.place(step), height.place(loss))
                    for step, loss in backends[backend]["training"].get("validation_losses", ())
                ],
            )
            for backend, curve in losses.items()
        ],
        gap=_line(shown, steps, depth),
        steps=steps.ticks(9),
        losses=height.ticks(5),
        gaps=depth.ticks(4) if any(gap) else [],
        equal=sum(value == 0.0 for value in gap),
        common=common,
        stops=[[i + 1, steps.place(i + 1), first[i], second[i]] for i in range(0, common, stride)],
    )


def describe(backends: Mapping[str, Mapping[str, Any]]) -> str:
    """The chart in words, for who cannot see it."""
    ends = [f"{NAMES[backend]} ends at {values['training']['final_loss']:.4f}" for backend, values in backends.items()]
    return f"Loss per target token at each optimizer step: {', '.join(ends)}."


def _line(values: Sequence[float], across: Axis, down: Axis) -> str:
    points = [(across.place(i + 1), math.nan if math.isnan(v) else down.place(v)) for i, v in thin(values)]
    return path(points)
