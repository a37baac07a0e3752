"""Two trainings of one config held against each other, step by step: whether, and since when, their weights differ.

All that is needed are their metrics, small files that two people can exchange; where both have a checkpoint of one
step, the weights that differ are counted and the first one is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from diptych.config import TrainingConfig
from diptych.errors import RunError
from diptych.runs.record import TrainingRecord


@dataclass(frozen=True)
class WholeRuns:
    """How far two trainings have the same weights.

    Attributes:
        steps: how many optimizer steps both have done.
        digests: how many digests of all weights were compared.
        parted: the first step at which they differ, as far as it can be told; None where none does.
        equal_until: the last step before that at which they were seen to be equal.
        weights: how many weights there are.
        differing: how many of them differ in the last checkpoint that both have; None without one.
        checkpoint: that checkpoint's step.
        place: the first weight that differs, in the first such checkpoint, and both its values.
        largest_loss_gap, largest_loss_gap_step: between the losses of the same step.
        margin: how near to halfway between two multiples any weight came; None where training was not exact.
        gap, mean_gap: how far apart they were before rounding, where that was measured: at most, and on average.
        ties, turned, faults: near ties; those the second run took over against its own rounding; those that were none
            in the other run.
        expected_flips: how many weights of one run were to be expected to be rounded otherwise than in the other, had
            no decisions been taken over; None where the gap was not measured.
        digest: of the last weights, where they are equal.
    """

    steps: int
    digests: int
    parted: int | None
    equal_until: int
    weights: int
    differing: int | None = None
    checkpoint: int | None = None
    place: str = ""
    largest_loss_gap: float = 0.0
    largest_loss_gap_step: int = 0
    margin: float | None = None
    gap: float | None = None
    mean_gap: float | None = None
    ties: int = 0
    turned: int = 0
    faults: int = 0
    expected_flips: float | None = None
    digest: str = ""

    @property
    def are_equal(self) -> bool:
        """Whether all weights have been seen to be equal to the last bit, from the first step to the last."""
        return self.parted is None and self.digests > 0

    def to_json(self) -> dict[str, Any]:
        """All of it, for report.json and `--json`."""
        return asdict(self) | {"equal": self.are_equal}

    def lines(self) -> list[str]:
        """What there is to say, a sentence a line; the first one says whether they are equal."""
        return describe(self.to_json())


def compare_runs(first: TrainingRecord, second: TrainingRecord, training: TrainingConfig) -> WholeRuns:
    """Hold two trainings of the same config against each other.

    Args:
        first: one of them.
        second: the other one; near ties and gaps are those that it has noted.
        training: the config of their training.

    Raises:
        RunError: one has no metrics, or their models have other weights.
    """
    for record in (first, second):
        if not record.metrics.is_file():
            raise RunError(f"{record.folder} has no {record.metrics.name}: train the run with this backend first")
    if {name: each.shape for name, each in first.specification.items()} != {
        name: each.shape for name, each in second.specification.items()
    }:
        raise RunError(f"{first.folder} and {second.folder} have models of other shapes: give two runs of one config")
    ours, others = (
        {line["step"]: line for line in record.read_metrics() if "loss" in line} for record in (first, second)
    )
    common = sorted(ours.keys() & others.keys())
    gaps = [abs(ours[step]["loss"] - others[step]["loss"]) for step in common]
    widest = int(np.argmax(gaps)) if gaps else 0
    seen = [step for step in common if "digest" in ours[step] and "digest" in others[step]]
    parted = next((step for step in common if _differ(ours[step], others[step])), None)
    equal = [step for step in (common if "checksum" in ours.get(1, {}) else seen) if parted is None or step < parted]
    weights = sum(int(np.prod(each.shape)) for each in first.specification.values())
    told = list(others.values())
    mean = [line["mean_gap"] for line in told if "mean_gap" in line]
    margins = [line["margin"] for line in (*ours.values(), *told) if "margin" in line]
    summary = {
        "steps": len(common),
        "digests": len(seen),
        "parted": parted,
        "equal_until": max(equal, default=0),
        "weights": weights,
        "largest_loss_gap": max(gaps, default=0.0),
        "largest_loss_gap_step": common[widest] if gaps else 0,
        "margin": min(margins, default=None),
        "gap": max((line["gap"] for line in told if "gap" in line), default=None),
        "mean_gap": float(np.mean(mean)) if mean else None,
        **{name: sum(line.get(name, 0) for line in told) for name in ("ties", "turned", "faults")},
        "digest": ours[seen[-1]]["digest"] if seen and parted is None else "",
    }
    if mean:
        summary["expected_flips"] = weights * len(common) * summary["mean_gap"] * 2.0**training.grid_exponent
    return WholeRuns(**summary | _in_checkpoints(first, second))


def describe(told: Mapping[str, Any]) -> list[str]:
    """What `WholeRuns.to_json` says, in sentences."""
    weights, steps = f"{told['weights']:,}", f"{told['steps']:,}"
    if told["equal"]:
        lines = [f"all {weights} weights are equal to the last bit, from the first of {steps} steps to the last"]
    elif told["parted"] is None:
        lines = [f"no step's weights can be compared: neither run has written a digest within {steps} steps"]
    else:
        since = f"step {told['parted']:,}"
        if told["equal_until"] < told["parted"] - 1:
            since = f"a step after {told['equal_until']:,}, at the latest {told['parted']:,}"
        count = "" if told["differing"] is None else f"{told['differing']:,} of "
        at = "" if told["checkpoint"] is None else f" (counted at step {told['checkpoint']:,})"
        lines = [f"{count}{weights} weights differ, since {since}{at}"]
        if told["place"]:
            lines.append(f"the first one that differs: {told['place']}")
    if told["margin"] is not None:
        text = f"rounding: the nearest that any weight came to halfway is {told['margin']:.1e}"
        if told["gap"] is not None:
            text += (
                f"; before it the two differed by {told['mean_gap']:.1e} on average and {told['gap']:.1e} at most: "
                f"{told['expected_flips']:.2g} flips were to be expected"
            )
        lines.append(text)
        lines.append(
            f"near ties, within 1e-12 of halfway: {told['ties']:,}; decided as in the first run, against the second's "
            f"own rounding: {told['turned']:,}; faults: {told['faults']:,}"
        )
    return lines


def _differ(ours: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Whether two lines of one step tell of other weights."""
    return any(ours[key] != others[key] for key in ("checksum", "digest") if key in ours and key in others)


def _in_checkpoints(first: TrainingRecord, second: TrainingRecord) -> dict[str, Any]:
    """What the checkpoints that both have tell of the weights that differ."""
    told: dict[str, Any] = {}
    common = [name for name in first.checkpoint_names() if name in second.checkpoint_names()]
    for name in common:
        ours, others = (record.read_checkpoint(name).parameters for record in (first, second))
        unequal = {weight: ours[weight] != others[weight] for weight in ours}
        told["differing"] = sum(int(each.sum()) for each in unequal.values())
        told["checkpoint"] = int(name.removeprefix("step-"))
        if told["differing"] and "place" not in told:
            weight = next(weight for weight, each in unequal.items() if each.any())
            index = tuple(int(i) for i in np.argwhere(unequal[weight])[0])
            values = (float(ours[weight][index]), float(others[weight][index]))
            told["place"] = f"{weight}{list(index)} at step {told['checkpoint']}: {values[0]!r} and {values[1]!r}"
    return told
