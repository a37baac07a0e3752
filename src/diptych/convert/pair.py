"""Two models that should be one: where their numbers part first, and which mistake explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.causes.loading import other_weights
from diptych.convert.causes.search import Explanation, explain
from diptych.convert.certificate import LIMIT, describe, gap
from diptych.convert.graph import Graph, Ref
from diptych.convert.judge import run
from diptych.convert.trial import inputs_that_run
from diptych.errors import RefusalError

Values = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What came of comparing two models.

    Attributes:
        gap: of the outputs, relative to the first model's.
        limit: within which they are the same.
        first: the first layer where they part, with row, step and unit; "" where they do not.
        gates: the gates whose weights differ there; "" where none do.
        explanation: the mistakes that close the gap; None where there is none, or none was found.
    """

    gap: float
    limit: float
    first: str
    gates: str
    explanation: Explanation | None

    @property
    def same(self) -> bool:
        """Whether the two give the same numbers."""
        return self.gap <= self.limit

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        found = self.explanation
        causes = [{"where": one.where, "what": one.what, "entry": one.entry} for one in found.faults] if found else []
        return {
            "same": self.same, "gap": self.gap, "limit": self.limit, "first": self.first, "gates": self.gates,
            "causes": causes, "gap_with_them": found.after if found else None,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people."""
        if self.same:
            return [f"the same numbers: {self.gap:.1e} apart (limit {self.limit:.0e})"]
        lines = [f"not the same: the outputs are {self.gap:.2g} apart (limit {self.limit:.0e})", f"first: {self.first}"]
        lines += [f"gates whose weights differ there: {self.gates}"] if self.gates else []
        if self.explanation is None:
            return [*lines, "no mistake of the catalogue, and no two, explain it"]
        for fault in self.explanation.faults:
            entry = f" (diptych differences {fault.entry})" if fault.entry else ""
            lines.append(f"because: {fault}{entry}")
        return [*lines, f"with that, {self.explanation.before:.2g} becomes {self.explanation.after:.1e}"]


def certify(right: Graph, other: Graph, seed: int = 0, limit: float = LIMIT, seconds: float = 60.0) -> Verdict:
    """Compare two graphs on the same inputs and explain what they differ in.

    Args:
        right: the model that was ported.
        other: the port.
        seed: of the inputs.
        limit: within which two numbers are the same.
        seconds: how long pairs of mistakes are tried.

    Raises:
        RefusalError: they do not take the same inputs or give the same outputs.
    """
    # A port that packs takes lengths: then every mask is one that lengths can say.
    packs = any(given.kind == "lengths" for given in other.inputs)
    trial, values = inputs_that_run(right, seed, ("lengths",) if packs else ("every", "no empty row"))
    given = inputs_for(other, right, trial)
    theirs = run(other, given)
    found = [theirs[ref] for ref in other.outputs.values()]
    pairs = _outputs(right, found, values)

    def measure(graph: Graph) -> float:
        try:
            changed = run(graph, trial)
        except (ValueError, IndexError, KeyError):
            return float("inf")
        refs = list(graph.outputs.values())
        return max(gap(found[b], _same_axes(changed[refs[a]], found[b]))[0] for a, b in pairs)

    before = measure(right)
    if before <= limit:
        return Verdict(before, limit=limit, first="", gates="", explanation=None)
    first, gates = _first(right, other, mine=values, theirs=theirs, limit=limit)
    loaded = other_weights(right, other)
    explanation = explain(right, measure, limit=limit, seconds=seconds, loaded=loaded)
    return Verdict(before, limit=limit, first=first, gates=gates, explanation=explanation)


def _masking(graph: Graph, name: str) -> float | None:
    return next(
        (
            node.kind.value
            for node in graph.nodes
            if isinstance(node.kind, kinds.NotEqual) and node.inputs["x"].node == name
        ),
        None,
    )


def inputs_for(other: Graph, right: Graph, trial: Mapping[str, Values]) -> dict[str, Values]:
    """The same inputs as the other model takes them: lengths from a mask, time first where it wants that.

    A port that begins each time without a state, where the original is given some, is not given them.

    Raises:
        RefusalError: the two do not take the same inputs.
    """
    plain = [given for given in right.inputs if given.kind != "lengths"]
    wanted = [given for given in other.inputs if given.kind != "lengths"]
    if len(plain) > len(wanted):
        plain = [one for one in plain if one.name not in _states(right)]
    if len(plain) != len(wanted):
        raise RefusalError(
            f"the first model takes {[one.name for one in right.inputs]}, the second "
            f"{[one.name for one in other.inputs]}: as many inputs were expected, beside lengths"
        )
    given: dict[str, Values] = {}
    for mine, theirs in zip(plain, wanted):
        value = np.moveaxis(trial[mine.name], mine.batch_axis, 0)
        if len(value.shape) - 1 != len(theirs.shape):
            raise RefusalError(
                f"{mine.name} has shape {value.shape}, but {theirs.name} takes {theirs.shape} for each row"
            )
        given[theirs.name] = np.moveaxis(value, 0, theirs.batch_axis)
    for theirs in other.inputs:
        if theirs.kind == "lengths":
            given[theirs.name] = _lengths(right, trial)
    return given


def _states(graph: Graph) -> set[str]:
    """The inputs that are initial states, and nothing else."""
    used = [(name, ref.node) for node in graph.nodes for name, ref in node.inputs.items()]
    others = {given for name, given in used if name[1:2] != "0"} | {ref.node for ref in graph.outputs.values()}
    return {given for _, given in used if given not in others}


def _lengths(right: Graph, trial: Mapping[str, Values]) -> Values:
    for given in right.inputs:
        if given.kind == "lengths":
            return trial[given.name]
        masking = _masking(right, given.name)
        if masking is not None:
            real = trial[given.name] != masking
            return np.asarray((real.any(axis=-1) if real.ndim == 3 else real).sum(axis=1))
    sequence = next(trial[one.name] for one in right.inputs if len(one.shape) > 0)
    return np.full(sequence.shape[0], sequence.shape[1])


def _outputs(right: Graph, found: list[Values], values: Mapping[Ref, Values]) -> list[tuple[int, int]]:
    """Which output of the first model is which of the second, in order and by shape; at least one."""
    pairs, start = [], 0
    for mine, ref in enumerate(right.outputs.values()):
        for theirs in range(start, len(found)):
            if sorted(values[ref].shape) == sorted(found[theirs].shape):
                pairs.append((mine, theirs))
                start = theirs + 1
                break
    if not pairs:
        shapes = [values[ref].shape for ref in right.outputs.values()], [one.shape for one in found]
        raise RefusalError(f"no output of one has the shape of one of the other: {shapes[0]} and {shapes[1]}")
    return pairs


def _same_axes(value: Values, like: Values) -> Values:
    """A sequence with time first, where the other has it so."""
    if value.shape != like.shape and value.ndim == 3 and value.transpose(1, 0, 2).shape == like.shape:
        return value.transpose(1, 0, 2)
    return value


def _first(
    right: Graph, other: Graph, mine: Mapping[Ref, Values], theirs: Mapping[Ref, Values], limit: float
) -> tuple[str, str]:
    """The first layer with weights whose output differs, and the gates that do."""
    layers = [[(node, _main(node.kind)) for node in graph.nodes if node.weights] for graph in (right, other)]
    for (a, output), (b, other_output) in zip(*layers):
        value, found = mine[Ref(a.name, output)], theirs[Ref(b.name, other_output)]
        apart, place = gap(found, _same_axes(value, found)) if sorted(value.shape) == sorted(found.shape) else (0.0, "")
        if not apart <= limit:
            gates = ""
            if isinstance(a.kind, kinds.Recurrent) and isinstance(b.kind, kinds.Recurrent):
                gates = ", ".join(_gates(a.kind, a.weights, b.weights))
            same = set(a.weights) == set(b.weights) and all(
                np.array_equal(a.weights[name], b.weights[name]) for name in a.weights
            )
            why = "; its weights are the same in both" if same else ""
            return f"{describe(right, Ref(a.name, output))}{place}{why}", gates
    return f"{next(iter(right.outputs))}: after the last layer with weights", ""


def _main(kind: kinds.Kind) -> str:
    return "sequence" if isinstance(kind, kinds.Recurrent) else "output"


def _gates(kind: kinds.Recurrent, mine: Mapping[str, Values], theirs: Mapping[str, Values]) -> list[str]:
    differing = []
    for number, gate in enumerate(kind.gates):
        for name in ("weight_ih", "weight_hh"):
            a, b = (np.split(one[name], len(kind.gates))[number] for one in (mine, theirs))
            if a.shape != b.shape or not np.allclose(a, b, rtol=1e-12, atol=0):
                differing.append(gate)
                break
    return differing
