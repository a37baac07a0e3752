"""Where a training stands: what a checkpoint's state.json holds, and what resuming needs beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from diptych.errors import CheckpointError
from diptych.training.schedule import Place


@dataclass(frozen=True)
class TrainingState:
    """What a checkpoint's state.json holds.

    Attributes:
        place: the place in training.
        validated: whether the validation that is due at this place has been done.
        best_validation_loss, best_step: the best validation so far; None where there has been none.
        bad_validations: how many validations there have been since.
        lineage: which framework did the steps from which step on, in order.
        data: the fingerprint of the training pairs.
        choices: what each framework chose by measuring: it keeps to that, for another choice rounds otherwise.
    """

    place: Place = field(default_factory=Place)
    validated: bool = True
    best_validation_loss: float | None = None
    best_step: int = 0
    bad_validations: int = 0
    lineage: tuple[tuple[str, int], ...] = ()
    data: str = ""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def after_step(self, batches: int, validate_every: int, last_step: int) -> TrainingState:
        """The state after one more step, where an epoch has so many batches and training ends at `last_step`.

        A validation is due every `validate_every` steps, or at the end of each epoch if that is 0, and at the end.
        """
        place = self.place.next(batches)
        due = place.step % validate_every == 0 if validate_every else place.position == 0
        return replace(self, place=place, validated=not (due or place.step >= last_step))

    def after_validation(self, loss: float) -> TrainingState:
        """The state after a validation that gave this loss."""
        if self.best_validation_loss is None or loss < self.best_validation_loss:
            step = self.place.step
            return replace(self, validated=True, best_validation_loss=loss, best_step=step, bad_validations=0)
        return replace(self, validated=True, bad_validations=self.bad_validations + 1)

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
            CheckpointError: something is missing or unknown.
        """
        try:
            rest = dict(values)
            place = Place(*(int(rest.pop(name)) for name in ("step", "epoch", "position")))
            lineage = tuple((str(backend), int(step)) for backend, step in rest.pop("lineage"))
            return cls(place, lineage=lineage, **rest)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"a checkpoint's state.json is not of this version of Diptych: {error}") from error
