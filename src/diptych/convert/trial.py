"""What a conversion is tried on: inputs that show faults, and the directions in which derivatives are taken.

Numbers that drive gates beyond +-2.5, where the hard sigmoids part; lengths with padding, a mask with a hole and with
padding on the left, a row that is masked from end to end; states that differ from each other and from zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.graph import Graph, Input, Ref
from diptych.convert.judge import derivatives, run
from diptych.errors import RefusalError
from diptych.randomness import generator

Values = npt.NDArray[Any]
Pattern = Literal["every", "no empty row", "lengths", "whole"]
BATCH, LENGTHS = 4, (5, 8, 16, 40, 100)
AMPLITUDE = 3.0


@dataclass(frozen=True, eq=False)
class Trial:
    """Inputs, and what the judge finds.

    Attributes:
        inputs: by name.
        factors: by output, what its numbers are multiplied with before they are summed to one, the loss.
        values: the judge's, of the whole graph.
        directions: by weight, the direction in which the loss is differentiated.
        derivatives: along them.
    """

    inputs: Mapping[str, Values]
    factors: Mapping[str, Values]
    values: Mapping[Ref, Values]
    directions: Mapping[str, Values]
    derivatives: Mapping[str, float]


class Directions(Mapping[str, Values]):
    """By trained weight, a direction; drawn whenever it is asked for, so that those of a large model take no memory."""

    def __init__(self, graph: Graph, seed: int) -> None:
        weights = {name: weight.shape for name, weight in graph.weights().items()}
        self._shapes = {
            name: shape for name, shape in weights.items() if name.rpartition(".")[2] not in ("mean", "variance")
        }
        self._seed = seed

    def __getitem__(self, name: str) -> Values:
        shape = self._shapes[name]
        draw = generator(self._seed, f"conversion: direction of {name}")
        return np.asarray(draw.standard_normal(shape, np.float32))

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


def make_trial(graph: Graph, seed: int = 0) -> Trial:
    """Inputs for a graph, and what the judge makes of them.

    Raises:
        RefusalError: no length that was tried goes through the model.
    """
    inputs, values = inputs_that_run(graph, seed)
    draw = generator(seed, "conversion: directions")
    factors = {name: draw.normal(size=values[ref].shape) for name, ref in graph.outputs.items()}
    directions = Directions(graph, seed)
    by_ref: dict[Ref, Values] = {}
    for name, ref in graph.outputs.items():
        by_ref[ref] = by_ref[ref] + factors[name] if ref in by_ref else factors[name]
    return Trial(
        inputs,
        factors,
        values=values,
        directions=directions,
        derivatives=derivatives(graph, values, factors=by_ref, directions=directions),
    )


def inputs_that_run(
    graph: Graph, seed: int, patterns: tuple[Pattern, ...] = ("every", "no empty row")
) -> tuple[dict[str, Values], dict[Ref, Values]]:
    """Inputs of the first length and pattern of masks that give finite numbers, and every value.

    Raises:
        RefusalError: none does.
    """
    problem = ""
    for length in LENGTHS:
        for pattern in patterns:
            inputs = make_inputs(graph, generator(seed, "conversion: inputs"), length=length, pattern=pattern)
            try:
                with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is seen below
                    values = run(graph, inputs)
            except ValueError as error:
                problem = str(error)
                break
            if all(np.isfinite(values[ref]).all() for ref in graph.outputs.values()):
                return inputs, values
    tried = f"{', '.join(map(str, LENGTHS[:-1]))} or {LENGTHS[-1]}"
    if not problem:
        raise RefusalError(f"no input of {tried} steps goes through the model: the outputs are not finite")
    raise RefusalError(
        f"no input of {tried} steps goes through the model: {problem}. Sizes that are given beside it (--input) "
        f"must be those that its layers take"
    )


def make_inputs(graph: Graph, draw: np.random.Generator, length: int, pattern: Pattern) -> dict[str, Values]:
    """Inputs for a graph whose open axes have this length."""
    masking = {node.inputs["x"].node: node.kind.value for node in graph.nodes if isinstance(node.kind, kinds.NotEqual)}
    inputs = {}
    for given in graph.inputs:
        shape = (BATCH, *(length if size is None else size for size in given.shape))
        value = _input(given, shape, draw=draw, masking=masking.get(given.name), pattern=pattern)
        if given.kind == "lengths":
            value = np.full(BATCH, length) if pattern == "whole" else lengths(length)
        inputs[given.name] = np.moveaxis(value, 0, given.batch_axis) if value.ndim > 1 else value
    return inputs


def _input(
    given: Input, shape: tuple[int, ...], draw: np.random.Generator, masking: float | None, pattern: Pattern
) -> Values:
    real = mask_pattern(shape, pattern) if len(shape) > 1 else np.ones(shape, bool)
    if given.kind in ("mask", "padding"):
        return real if given.kind == "mask" else ~real
    if given.kind == "ids":
        limit = given.limit or 2
        ids = draw.integers(0 if masking is None else min(1, limit - 1), limit, shape)
        return ids if masking is None else np.where(real, ids, int(masking))
    numbers = draw.normal(0.0, AMPLITUDE, shape)
    if masking is None:
        return numbers
    return np.where(real.reshape(*real.shape[:2], *[1] * (len(shape) - 2)), numbers, masking)


def lengths(longest: int) -> Values:
    """How many steps each row has, the longest first."""
    return np.array([longest, max(longest - 2, 1), (longest + 1) // 2, 1])


def mask_pattern(shape: tuple[int, ...], pattern: Pattern) -> npt.NDArray[np.bool_]:
    """Four rows: whole; padded on the right; padded on the left and with a hole; masked from end to end.

    Or four rows without the last kind, or four that are padded on the right only, the longest first, or four that are
    whole.
    """
    steps = np.arange(shape[1])
    if pattern == "whole":
        return np.ones(shape[:2], bool)
    if pattern == "lengths":
        return steps < lengths(shape[1])[:, None]
    holes = (steps > 0) & (steps != 2)
    rows = [steps >= 0, steps < max(1, shape[1] - 2), holes if holes.any() else steps >= 0, steps < 0]
    return np.stack(rows if pattern == "every" else [*rows[:3], rows[2]])


def arrays_of(trial: Trial) -> dict[str, Values]:
    """Inputs and factors as one file holds them; the names sort in the model's order."""
    parts = {"input": trial.inputs, "factor": trial.factors}
    return {
        f"{part}.{number:03}.{name}": np.ascontiguousarray(value)
        for part, values in parts.items()
        for number, (name, value) in enumerate(values.items())
    }
