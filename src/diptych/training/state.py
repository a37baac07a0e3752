"""Where a training stands: what a checkpoint's state.json holds, and what resuming needs beside the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args

from diptych.config import StopMetric, TrainingConfig
from diptych.errors import CheckpointError
from diptych.panel import BACKENDS
from diptych.training.schedule import Place


@dataclass(frozen=True)
class TrainingState:
    """What a checkpoint's state.json holds.

    Attributes:
        place: the place in training.
        validated: whether the validation that is due at this place has been done.
        best_validation_loss, best_step: the best validation so far; None where there has been none.
        stop_metric, best_score: what it is the best by, and the score it had; None where that is the loss.
        merit: of the validation at this very place: the loss, or the score below 0, so that low is good; None where
            there has been none.
        bad_validations: how many validations there have been since.
        plateau: what they have left of the learning rate, 1 but for the schedule "plateau".
        skipped, skipped_in_a_row: steps that were skipped, in all and since the last that was not.
        lineage: which framework did the steps from which step on, in order.
        data: the fingerprint of the training pairs.
        choices: what each framework chose by measuring: it keeps to that, for another choice rounds otherwise.
        workers: how many shared the last steps, with how many threads each, and why any other number of workers would
            have computed the same, see `shared_by`; empty where nobody has noted it.
    """

    place: Place = field(default_factory=Place)
    validated: bool = True
    best_validation_loss: float | None = None
    best_step: int = 0
    stop_metric: StopMetric = "loss"
    best_score: float | None = None
    merit: float | None = None
    bad_validations: int = 0
    plateau: float = 1.0
    skipped: int = 0
    skipped_in_a_row: int = 0
    lineage: tuple[tuple[str, int], ...] = ()
    data: str = ""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    workers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def updates(self) -> int:
        """Optimizer steps that changed the weights: what Adam's corrections count."""
        return self.place.step - self.skipped

    @property
    def is_best(self) -> bool:
        """Whether the best validation is the one at this very place."""
        return self.best_step == self.place.step

    def has_stopped_early(self, patience: int) -> bool:
        """Whether so many validations in a row were no better than one before them; 0 stands for any number."""
        return 0 < patience <= self.bad_validations

    def is_finished(self, patience: int, last_step: int) -> bool:
        """Whether nothing is left to do."""
        return self.validated and (self.has_stopped_early(patience) or self.place.step >= last_step)

    def changes_of(self, data: str) -> list[str]:
        """A warning where training pairs of this fingerprint are not those that were trained on so far."""
        if self.data in ("", data):
            return []
        return ["the corpus has changed since the checkpoint was written: this goes on with the new one"]

    def shared_by(self, workers: int, threads: int | None, config: TrainingConfig) -> TrainingState:
        """The state where so many workers, of so many threads each, do the steps that follow.

        Equal to the bit are then, whatever the number of workers, trainings of one config: "by construction" with the
        same framework, versions, kind of processor and threads of each worker, for all compute the same shards; "by
        rounding", in exact training, also where these differ.
        """
        equal = "by rounding" if config.precision == "exact" else "by construction"
        noted = {"workers": workers, "threads": threads, "shards": config.shards, "equal": equal}
        return replace(self, workers=noted)

    def changes_of_threads(self, threads: int | None) -> list[str]:
        """A warning where the bits of a training that several share may depend on that each now has other threads."""
        before = self.workers.get("threads")
        if self.workers.get("shards", 1) == 1 or self.workers.get("equal") != "by construction" or before == threads:
            return []
        return [
            f"each worker had {before or 'as many threads as the framework took'} before and has {threads or 'those'} "
            f"now: equal to the bit are only trainings with the same number of threads a worker"
        ]

    def after_step(self, batches: int, validate_every: int, last_step: int, skipped: bool = False) -> TrainingState:
        """The state after one more step, where an epoch has so many batches and training ends at `last_step`.

        A validation is due every `validate_every` steps, or at the end of each epoch if that is 0, and at the end.
        """
        place = self.place.next(batches)
        due = place.step % validate_every == 0 if validate_every else place.position == 0
        return replace(
            self,
            place=place,
            validated=not (due or place.step >= last_step),
            merit=None,
            skipped=self.skipped + skipped,
            skipped_in_a_row=self.skipped_in_a_row + 1 if skipped else 0,
        )

    def after_validation(self, loss: float, scores: Mapping[str, float], config: TrainingConfig) -> TrainingState:
        """The state after a validation that gave this loss and these scores, by name.

        By another metric than before, every validation is better than those before it.
        """
        metric = config.stop_metric
        score = None if metric == "loss" else scores[metric]
        merit = loss if score is None else -score
        if self._is_better(metric, loss if score is None else score):
            return replace(
                self,
                validated=True,
                merit=merit,
                best_validation_loss=loss,
                best_step=self.place.step,
                stop_metric=metric,
                best_score=score,
                bad_validations=0,
            )
        bad = self.bad_validations + 1
        lowered = config.schedule == "plateau" and bad % config.plateau_patience == 0
        plateau = self.plateau * config.plateau_factor if lowered else self.plateau
        return replace(self, validated=True, merit=merit, bad_validations=bad, plateau=plateau)

    def _is_better(self, metric: StopMetric, value: float) -> bool:
        """Whether a validation is better than all before: a lower loss or a higher score."""
        if metric != self.stop_metric or self.best_validation_loss is None:
            return True
        if self.best_score is None:
            return value < self.best_validation_loss
        return value > self.best_score

    def on(self, backend: str) -> TrainingState:
        """The state where this backend does the steps that follow."""
        if self.lineage and self.lineage[-1][0] == backend:
            return self
        return replace(self, lineage=(*self.lineage, (backend, self.place.step)))

    def to_json(self) -> dict[str, Any]:
        """This state as JSON: the place's numbers beside the others."""
        values = asdict(self)
        place: dict[str, Any] = values.pop("place")
        return place | values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingState:
        """The state that `to_json` gave.

        Raises:
            CheckpointError: something is missing, unknown, or cannot be so.
        """
        wrong = [name for name in _NEEDED if name not in values] + [name for name in values if name not in _CHECKS]
        wrong += [name for name, is_right in _CHECKS.items() if name in values and not is_right(values[name])]
        if not wrong:
            counted = ("epoch", "position", "best_step", "skipped", "skipped_in_a_row")
            wrong = [name for name in counted if values.get(name, 0) > values["step"]]
        if wrong:
            shown = ", ".join(f"{name[:40]} is {values.get(name, 'missing')!r:.60}" for name in wrong[:5])
            raise CheckpointError(f"a checkpoint's state.json is not of this version of Diptych: {shown}")
        rest = dict(values)
        place = Place(*(rest.pop(name) for name in ("step", "epoch", "position")))
        lineage = tuple((backend, step) for backend, step in rest.pop("lineage"))
        return cls(place, lineage=lineage, **rest)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 53


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _is_lineage(value: object) -> bool:
    """Pairs of a backend and a step, no step below the one before."""
    if not isinstance(value, list | tuple) or not all(
        isinstance(each, list | tuple) and len(each) == 2 for each in value
    ):
        return False
    steps = [step for _, step in value]
    return all(backend in BACKENDS for backend, _ in value) and all(map(_is_count, steps)) and steps == sorted(steps)


def _are_choices(value: object) -> bool:
    """Names by names, for each backend."""
    return isinstance(value, dict) and all(
        isinstance(each, dict) and all(isinstance(choice, str) for choice in each.values()) for each in value.values()
    )


def _are_workers(value: object) -> bool:
    """What `shared_by` notes, or nothing."""
    if value == {}:
        return True
    if not isinstance(value, dict) or value.keys() != {"workers", "threads", "shards", "equal"}:
        return False
    counts = [value["workers"], value["shards"], value["threads"] or 0]
    return all(map(_is_count, counts)) and value["equal"] in ("by construction", "by rounding")


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "workers": _are_workers,
    "step": _is_count,
    "epoch": _is_count,
    "position": _is_count,
    "validated": lambda value: isinstance(value, bool),
    "best_validation_loss": lambda value: value is None or _is_number(value),
    "best_step": _is_count,
    "stop_metric": lambda value: value in get_args(StopMetric),
    "best_score": lambda value: value is None or _is_number(value),
    "merit": lambda value: value is None or _is_number(value),
    "bad_validations": _is_count,
    "plateau": lambda value: _is_number(value) and 0.0 <= value <= 1.0,
    "skipped": _is_count,
    "skipped_in_a_row": _is_count,
    "lineage": _is_lineage,
    "data": lambda value: isinstance(value, str),
    "choices": _are_choices,
}
"""What each value of a state.json may be."""
_NEEDED = ("step", "epoch", "position", "lineage")
"""Earlier versions lacked some of the others."""
