"""The limits of the ladder: what counts as the same number, rung by rung.

- exact: after many steps of exact training all weights are equal to the last bit, and their sum is after each of the
  steps; losses differ by at most 1e-12. So is the whole run, where it was trained exactly in both frameworks.
- float64: each two panels differ by at most 1e-12 of the tensor's largest number, 1e-9 at the end of some steps; after
  Adam's first step, by what that step makes of the gradients' gap beside.
- float32: the two frameworks differ by at most 4 times the larger of their own distances to float64. And neither
  framework is much further from float64 than the other, or something beside rounding is at work.
- JavaScript: decoding steps and searches of the painting that runs in a page, in float64, where there is node.
- searches: the same tokens. A sentence where the two best choices are closer than the panels' measured error is a tie:
  it is counted and shown, and does not break the rung.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import TrainingConfig
from diptych.ladder.javascript import JAVASCRIPT
from diptych.ladder.rungs import DECODING, EXACT, GRADIENTS, ONE_STEP, SEARCHED, SUMS, Arrays
from diptych.ladder.ties import is_tie
from diptych.runs.run import Run

Results = dict[str, dict[str, dict[str, Arrays]]]
"""Arrays by panel, precision, rung and name."""

PRECISIONS = ("float64", "float32", EXACT)
SAME, TRAINED = 1e-12, 1e-9
FLOAT32_FACTOR, FLOAT32_IMBALANCE = 4.0, 64.0


@dataclass(frozen=True)
class Level:
    """One rung of the ladder in one precision, between two panels.

    Attributes:
        name: what is compared.
        precision: float64 or float32.
        between: the two panels.
        tensor: which of the rung's tensors comes closest to its limit, or exceeds it most.
        max_abs_difference: the largest gap in that tensor; for searches, how many sentences differ.
        limit: the largest that it may be.
        relative_difference: the gap as a fraction of the tensor's largest number.
        ulps: the gap in units of the last place of the tensor's largest number.
        holds: whether every tensor of the rung is within its limit.
        note: what else is to be said, ties for instance.
    """

    name: str
    precision: str
    between: tuple[str, str]
    tensor: str
    max_abs_difference: float
    limit: float
    relative_difference: float
    ulps: float
    holds: bool
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """This level for report.json and `--json`."""
        return asdict(self) | {"between": list(self.between)}


def judge(results: Results, run: Run) -> list[Level]:
    """Hold the arrays of two panels and more against each other and against the limits."""
    levels: list[Level] = []
    for precision in PRECISIONS:
        for between in combinations([name for name in results if precision in results[name]], 2):
            ours, others = (results[name][precision] for name in between)
            for rung in (rung for rung in ours if rung in others and rung != SEARCHED):
                if rung.endswith("tokens"):
                    error = _largest_gap(results, precision, DECODING if JAVASCRIPT in between else "logits")
                    level = _judge_tokens(
                        rung, precision, between=between, ours=ours, others=others, run=run, error=error
                    )
                else:
                    limits = _limits(results, precision, rung=rung, between=between, training=run.config.training)
                    level = _judge_arrays(rung, precision, between, ours=ours[rung], others=others[rung], limits=limits)
                levels.append(replace(level, name=in_javascript(rung)) if JAVASCRIPT in between else level)
    measured = [rungs for panel in results.values() for precision in PRECISIONS for rungs in panel.get(precision, ())]
    order = [name for rung in dict.fromkeys(measured) for name in (rung, in_javascript(rung))]
    return sorted(levels, key=lambda level: (order.index(level.name), level.precision == "float32"))


def in_javascript(rung: str) -> str:
    """What a rung is called where JavaScript is one of the two that are compared."""
    return f"JavaScript: {rung}"


def _judge_arrays(
    rung: str, precision: str, between: tuple[str, str], ours: Arrays, others: Arrays,
    limits: Mapping[str, tuple[float, str]],
) -> Level:  # fmt: skip
    levels = []
    for name in ours:
        gap, scale = largest_gap(ours[name], others[name]), _scale(others[name])
        limit, note = limits[name]
        # That of zero is denormal: zero, where such numbers are flushed.
        kind = "float64" if precision == EXACT else precision
        spacing = max(float(np.spacing(np.asarray(scale, kind))), float(np.finfo(kind).tiny))
        holds = gap <= limit and math.isfinite(gap) and not note
        if name == SUMS and not holds:
            note = f"first at step {int(np.argmax(ours[name] != others[name])) + 1}"
        relative = gap / scale if scale else gap
        levels.append(
            Level(
                rung,
                precision,
                between,
                tensor=name,
                max_abs_difference=gap,
                limit=limit,
                relative_difference=relative,
                ulps=gap / spacing,
                holds=holds,
                note=note,
            )
        )
    return max(levels, key=lambda level: (not level.holds, level.max_abs_difference / (level.limit or 1e-300)))


def _limits(
    results: Results, precision: str, rung: str, between: tuple[str, str], training: TrainingConfig
) -> dict[str, tuple[float, str]]:
    """By tensor: the largest gap allowed, and what is wrong beside the gap, if anything is."""
    tensors = results[between[1]][precision][rung]
    if precision == EXACT:
        return {name: (SAME * _scale(array) if name == "losses" else 0.0, "") for name, array in tensors.items()}
    if precision == "float64":
        # A tensor of small numbers, next to large ones in its rung, is made of their rounding errors.
        floor = 1e-3 * max(map(_scale, tensors.values()))
        allowed = TRAINED if rung.startswith(("after", "losses")) else SAME
        limits = {name: allowed * max(_scale(array), floor) for name, array in tensors.items()}
        if rung == ONE_STEP and training.optimizer != "sgd":
            # Adam's first step divides each gradient by its own size plus epsilon: where a gradient is that small, its
            # rounding error (within its own limit one rung below) grows by up to learning rate / epsilon.
            growth = training.learning_rate / training.epsilon
            gradients, others = (results[panel][precision][GRADIENTS] for panel in between)
            gaps = {name: largest_gap(gradients[name], others[name]) for name in limits if name in gradients}
            limits |= {name: limits[name] + growth * gap for name, gap in gaps.items()}
        return {name: (limit, "") for name, limit in limits.items()}
    limits_and_notes = {}
    for name, array in tensors.items():
        own = [largest_gap(*(results[panel][p][rung][name] for p in ("float32", "float64"))) for panel in between]
        smallest = max(min(own), 4.0 * float(np.spacing(np.float32(_scale(array)))))
        lopsided = max(own) > FLOAT32_IMBALANCE * smallest
        note = f"{between[int(np.argmax(own))]} is {max(own):.1e} from its float64, the other {min(own):.1e}"
        limits_and_notes[name] = (FLOAT32_FACTOR * max(own), note if lopsided else "")
    return limits_and_notes


def _judge_tokens(
    rung: str, precision: str, between: tuple[str, str], ours: dict[str, Arrays], others: dict[str, Arrays],
    run: Run, error: float,
) -> Level:  # fmt: skip
    pairs = {name: (tokens, others[rung][name]) for name, tokens in ours[rung].items()}
    differing = {name: pair for name, pair in pairs.items() if pair[0].tolist() != pair[1].tolist()}
    ties = [name for name, pair in differing.items() if is_tie(run, ours[SEARCHED], rung, int(name), *pair, error)]
    broken = [name for name in differing if name not in ties]
    note = f"{len(ties)} of {len(pairs)} sentences tied within {error:.1e}" if ties else ""
    tensor = f"sentence {int([*broken, *ties, *pairs][0]) + 1}"
    return Level(
        rung,
        precision,
        between=between,
        tensor=tensor,
        max_abs_difference=float(len(broken)),
        limit=0.0,
        relative_difference=0.0,
        ulps=0.0,
        holds=not broken,
        note=note,
    )


def _largest_gap(results: Results, precision: str, rung: str) -> float:
    """How far the panels' numbers of a rung are from each other, and from those in float64."""
    kinds = ("float64", precision)
    tables = [panel[p][rung] for panel in results.values() for p in kinds if rung in panel.get(p, ())]
    return max(largest_gap(tables[0][name], table[name]) for table in tables[1:] for name in table)


def largest_gap(ours: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    """The largest absolute difference; infinite where a number is NaN or infinite, or shapes differ."""
    if ours.shape != others.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):  # infinite less infinite is NaN
        gap = float(np.max(np.abs(np.subtract(ours, others, dtype=np.float64)), initial=0.0))
    return float("inf") if np.isnan(gap) else gap


def _scale(array: npt.NDArray[Any]) -> float:
    return float(np.max(np.abs(array), where=np.isfinite(array), initial=0.0))
