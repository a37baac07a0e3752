"""The certificate of a conversion: what was compared, how far apart it is, what was assumed and what it does not cover.

Three parties give the same numbers or the conversion fails: the judge (NumPy, from the formulas), what was written, and
the user's model where its framework can run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert import gradients
from diptych.convert.graph import Graph, Ref
from diptych.convert.trial import Trial
from diptych.errors import CertificateError

Values = npt.NDArray[Any]
LIMIT, LIMIT_FLOAT32 = 1e-12, 1e-4


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        what: what was compared, of whom with whom.
        gap: the largest difference, relative to the largest number there.
        limit: what it may be.
        where: the place of the largest gap, or of the first one beyond the limit.
    """

    what: str
    gap: float
    limit: float
    where: str

    @property
    def holds(self) -> bool:
        """Whether the gap is within its limit; NaN is not."""
        return self.gap <= self.limit


@dataclass(frozen=True)
class Party:
    """Who computed: its name and what it found, in the names of the graph.

    Attributes:
        name: for people, for instance "the written PyTorch module".
        outputs: in the graph's order.
        float32: the same in float32.
        values: of the graph's values, as many as it shows.
        gradients: by weight.
        stepped: the outputs after one step of SGD; None where it trains otherwise than the graph says.
        versions: of what computed.
        checks: comparisons with the judge that were made on other inputs.
        missing: what it cannot speak for, a sentence each.

    Of a party that cannot do all, what it has not found is empty.
    """

    name: str
    outputs: list[Values]
    float32: list[Values]
    values: Mapping[Ref, Values]
    gradients: Mapping[str, Values]
    stepped: list[Values] | None
    versions: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    missing: tuple[str, ...] = ()

    @classmethod
    def told_by(
        cls,
        evidence: Mapping[str, Any],
        name: str,
        values: Mapping[Ref, Values],
        gradients: Mapping[str, Values],
        stepped: list[Values] | None,
    ) -> Party:
        """The party whose process told `outputs`, `float32` and `versions`; the rest is in the names of the graph."""
        return cls(
            name,
            outputs=evidence["outputs"],
            float32=evidence["float32"],
            values=values,
            gradients=gradients,
            stepped=stepped,
            versions=evidence["versions"],
        )


def compare(graph: Graph, trial: Trial, parties: list[Party], rate: float) -> list[Check]:
    """Every check of a conversion: each party with the judge, and the parties with each other."""
    checks = []
    for party in parties:
        checks += _with_judge(graph, trial, party=party, rate=rate)
    for number, first in enumerate(parties):
        for second in parties[number + 1 :]:
            checks += _with_each_other(graph, trial, first=first, second=second)
    return checks


def _with_judge(graph: Graph, trial: Trial, party: Party, rate: float) -> list[Check]:
    expected = [trial.values[ref] for ref in graph.outputs.values()]
    names = list(graph.outputs)
    layers = [
        (describe(graph, ref), party.values[ref], value)
        for ref, value in trial.values.items()
        if ref in party.values and value.dtype.kind == "f"
    ]
    checks = list(party.checks)
    if party.outputs:
        checks += [
            check(f"every layer, {party.name} and the judge, float64", layers, LIMIT),
            check(f"outputs, {party.name} and the judge, float64", zip(names, party.outputs, expected), LIMIT),
        ]
    if party.float32:
        what = f"outputs, {party.name} in float32 and the judge"
        checks.append(check(what, zip(names, party.float32, expected), LIMIT_FLOAT32))
    if not party.outputs:
        return checks
    along = gradients.along_directions(graph, trial, party.gradients)
    checks.append(check(f"gradients, {party.name} and the judge", along, LIMIT))
    if party.stepped is not None and party.gradients:
        stepped = gradients.outputs_after_a_step(graph, trial, gradients=party.gradients, rate=rate)
        checks.append(
            check(f"outputs after a step of SGD, {party.name} and the judge", zip(names, party.stepped, stepped), LIMIT)
        )
    return checks


def _with_each_other(graph: Graph, trial: Trial, first: Party, second: Party) -> list[Check]:
    if not first.outputs or not second.outputs:
        return []
    both = f"{first.name} and {second.name}"
    every = gradients.number_by_number(graph, trial, first=first.gradients, second=second.gradients)
    checks = [
        check(f"outputs, {both}, float64", zip(graph.outputs, second.outputs, first.outputs), LIMIT),
        check(f"every gradient, {both}", every, LIMIT),
    ]
    if first.stepped is not None and second.stepped is not None:
        checks.append(
            check(f"outputs after a step of SGD, {both}", zip(graph.outputs, second.stepped, first.stepped), LIMIT)
        )
    return checks


def check(what: str, pairs: Any, limit: float) -> Check:
    """The largest gap of named pairs (found, expected, and how large it is to count at least)."""
    worst, where = 0.0, ""
    for name, found, expected, *least in pairs:
        apart, place = gap(found, expected, least[0] if least else 0.0)
        if not apart <= worst:
            worst, where = apart, f"{name}{place}"
        if not apart <= limit:
            break  # the first one: what comes after it is off because of it
    return Check(what, worst, limit=limit, where=where)


def gap(found: Values, expected: Values, least: float = 0.0) -> tuple[float, str]:
    """How far two arrays are apart, relative to the largest number, and where; NaN is the same as NaN."""
    if found.shape != expected.shape:
        return float("inf"), f": shape {found.shape}, but {expected.shape} was expected"
    if not expected.size:
        return 0.0, ""
    if expected.size > gradients.BLOCK:
        return _gap_of_blocks(found, expected, least)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))  # two infinities, too
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(found - expected))
    finite = np.abs(expected[np.isfinite(expected)])
    size = max(float(finite.max(initial=0.0)), least) or 1.0
    relative = difference / size
    place = np.unravel_index(int(np.argmax(np.where(np.isnan(relative), np.inf, relative))), relative.shape)
    return float(relative[place]), _place(relative, place)


def _gap_of_blocks(found: Values, expected: Values, least: float) -> tuple[float, str]:
    """The same of large arrays, which are not copied whole."""
    size = max(gradients.largest_of(expected), least) or 1.0
    worst, apart, place = -1.0, 0.0, 0
    for number, pair in enumerate(zip(gradients.blocks(found), gradients.blocks(expected))):
        relative = np.abs(np.subtract(*pair)) / size
        ranked = np.where(np.isnan(relative), np.inf, relative)
        if ranked.max() > worst:
            worst, first = float(ranked.max()), int(ranked.argmax())
            apart, place = float(relative[first]), number * gradients.BLOCK + first
    return apart, f", at {tuple(int(one) for one in np.unravel_index(place, expected.shape))}"


def _place(relative: Values, worst: tuple[Any, ...]) -> str:
    """The first place beyond the limit, by step where there are steps; otherwise the worst."""
    beyond = ~(relative <= LIMIT)
    if beyond.any() and relative.ndim == 3:
        step = int(np.argmax(beyond.any(axis=(0, 2))))
        row, unit = (int(one) for one in np.unravel_index(int(np.argmax(beyond[:, step])), beyond[:, step].shape))
        return f", row {row}, step {step}, unit {unit}"
    if relative.ndim == 2:
        return f", row {int(worst[0])}, unit {int(worst[1])}"
    return ""


def describe(graph: Graph, ref: Ref) -> str:
    """A value for people: its layer in the user's model and its name here."""
    node = next((node for node in graph.nodes if node.name == ref.node), None)
    return f"{ref}" if node is None or node.origin in ("", ref.node) else f"{ref} (of {node.origin})"


def demand(checks: list[Check]) -> None:
    """Refuse a conversion that does not hold.

    Raises:
        CertificateError: naming the first check that fails and its place.
    """
    for check in checks:
        if not check.holds:
            raise CertificateError(
                f"not certified: {check.what}: {check.gap:.2g} apart at {check.where}, more than {check.limit:g}"
            )
