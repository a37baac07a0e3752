"""Where two panels part: the first tensor that differs, with both sides resynchronised at every step.

One panel records what goes into and comes out of each of its components. The other one is given the same inputs,
component by component and time step by time step, so a difference in one component does not reach the next: what
differs first is what is wrong.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from diptych.ladder.probing import GATE_NAMES
from diptych.ladder.rungs import Arrays
from diptych.ladder.tracing import trace
from diptych.panel import BACKENDS
from diptych.processes.call import call
from diptych.runs.run import Run

TOLERANCE = 1e-11


@dataclass(frozen=True)
class Location:
    """The first tensor in which two panels differ.

    Attributes:
        tensor: its name: a component's output, a gradient, a weight after a step.
        place: where in it, in words: the first number that differs, by gate, time step and row.
        values: the number in each of the two panels.
        gap: the largest difference in the tensor, as a fraction of its largest number.
    """

    tensor: str
    place: str
    values: tuple[float, float]
    gap: float

    def to_json(self) -> dict[str, Any]:
        """This place for `--json`."""
        return asdict(self) | {"values": list(self.values)}

    def __str__(self) -> str:
        return f"{self.tensor}: {self.place}: {self.values[0]:.17g} and {self.values[1]:.17g} (gap {self.gap:.1e})"


def locate(run: Run, weights: str = "", threads: int | None = None) -> Location | None:
    """The first tensor in which the two frameworks differ in float64, or None.

    Args:
        run: whose config, data and weights.
        weights: whose best checkpoint in that run to take; "": the run's initial values.
        threads: processor threads for each process.
    """
    function = f"{trace.__module__}:trace"
    arguments = {"folder": str(run.folder), "weights": weights}
    first, second = BACKENDS
    recorded = call(first, function, arguments=arguments, threads=threads)
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        given = Path(folder) / "given.safetensors"
        save_file({name: np.ascontiguousarray(array) for name, array in recorded.items()}, given)
        return first_difference(
            recorded, call(second, function, arguments=arguments | {"given": str(given)}, threads=threads), run
        )


def first_difference(ours: Arrays, others: Arrays, run: Run) -> Location | None:
    """Go through two traces in the order of computation, to the first tensor that differs."""
    scales: dict[str, float] = {}
    for name, array in (*ours.items(), *others.items()):
        scales[_group(name)] = max(_largest(array), scales.get(_group(name), 1e-300))
    for name, array in ours.items():
        other = others[name]
        if array.shape != other.shape:
            return Location(name, place=f"shapes {array.shape} and {other.shape}", values=(np.nan, np.nan), gap=np.inf)
        scale = max(_largest(array), _largest(other), 1e-3 * scales[_group(name)])
        with np.errstate(invalid="ignore"):  # infinite less infinite is NaN
            gaps = np.abs(array.astype(np.float64) - other)
        if not (gaps <= TOLERANCE * scale).all():
            index = tuple(int(i) for i in np.argwhere(~(gaps <= TOLERANCE * scale))[0])
            values = (float(array[index]), float(other[index]))
            return Location(
                name,
                place=_describe(name, index, shape=array.shape, run=run),
                values=values,
                gap=float(gaps.max() / scale),
            )
    return None


def _group(name: str) -> str:
    """Tensors that stand for the same thing, gradients for instance, have one scale."""
    return re.sub(r"[^ ]*\.[^ ]*$", "", name)


def _largest(array: npt.NDArray[Any]) -> float:
    return float(np.max(np.abs(array), where=np.isfinite(array), initial=0.0))


def _describe(name: str, index: tuple[int, ...], shape: tuple[int, ...], run: Run) -> str:
    """A place in a tensor in words."""
    weight = name.rsplit(" ", 1)[-1]
    weight = weight.removeprefix("first_moment.").removeprefix("second_moment.").removeprefix("velocity.")
    if weight in run.specification:
        gates = run.specification[weight].gates
        if not gates:
            return "row {}, column {}".format(*index) if len(index) == 2 else f"row {index[0]}"
        size = shape[0] // len(gates)
        place = f"{GATE_NAMES[gates[index[0] // size]]} gate, row {index[0] % size} of it"
        return place + (f", column {index[1]}" if len(index) == 2 else "")
    labels = {1: ("number",), 2: ("row", "number"), 3: ("row", "time step", "number")}.get(len(index), ())
    return ", ".join(f"{label} {i}" for label, i in zip(labels, index, strict=True)) or "its value"
