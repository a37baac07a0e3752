"""Exact training: what rounding the weights told, and who decides where two panels might round apart (equation 23).

A weight that lies nearly halfway between two multiples of the grid's spacing is a near tie: there two panels, which
differ by their last bits before they round, may end on different sides. So the run that goes first writes its near
ties down, and a run that is to be equal to it takes those decisions over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NEAR = 1e-12
"""How near to halfway a near tie is, in the weight's own unit; panels differ by a hundred thousand times less."""


class Tie(NamedTuple):
    """A weight that lay nearly halfway between two multiples of the spacing.

    Attributes:
        name: which weight.
        at: where in it, row after row.
        up: whether it was rounded to the upper one.
        margin: how far from halfway it was.
    """

    name: str
    at: int
    up: bool
    margin: float

    @property
    def place(self) -> tuple[str, int]:
        """Which number it is."""
        return self.name, self.at


class Rounding(NamedTuple):
    """What rounding the weights after one step told.

    Attributes:
        margin: how near to halfway any weight came.
        checksum: the sum of all weights, in multiples of the spacing; exact, and in no need of an order.
        ties: the near ties.
        turned: those that this panel would have rounded the other way, had it not been told.
        faults: near ties of one run that are none in the other: the two had parted before they rounded.
        gap: the largest difference before rounding from the run that went first, at its near ties; None without one.
    """

    margin: float
    checksum: int
    ties: tuple[Tie, ...] = ()
    turned: tuple[Tie, ...] = ()
    faults: tuple[Tie, ...] = ()
    gap: float | None = None


def on_grid(parameters: Mapping[str, npt.NDArray[Any]], exponent: int) -> dict[str, npt.NDArray[np.float64]]:
    """Weights rounded to multiples of 2^-exponent, ties to even; copies."""
    scale = 2.0**exponent
    return {name: np.round(np.asarray(values, np.float64) * scale) / scale for name, values in parameters.items()}


def decide(seen: Sequence[Tie], decided: Sequence[Tie] | None, margin: float, checksum: int) -> Rounding:
    """What a rounding tells, where another run's near ties of the same step are given or not.

    Args:
        seen: this panel's weights that came within twice `NEAR` of halfway.
        decided: the other run's near ties; None: nobody went first.
        margin, checksum: see `Rounding`; `checksum` before anything is turned.
    """
    ties = tuple(tie for tie in seen if tie.margin < NEAR)
    if decided is None:
        return Rounding(margin, checksum, ties)
    own, others = ({tie.place: tie for tie in side} for side in (seen, decided))
    both = [(own[place], tie) for place, tie in others.items() if place in own]
    turned = tuple(mine for mine, tie in both if mine.up != tie.up)
    gaps = [abs(mine.margin - tie.margin) if mine.up == tie.up else mine.margin + tie.margin for mine, tie in both]
    faults = [tie for place, tie in others.items() if place not in own]
    faults += [tie for tie in ties if tie.place not in others and tie.margin < NEAR / 2.0]
    checksum += sum(-1 if tie.up else 1 for tie in turned)
    return Rounding(margin, checksum, ties=ties, turned=turned, faults=tuple(faults), gap=max(gaps, default=0.0))
