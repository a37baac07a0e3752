"""Losses and gradients that are no numbers: which of them end training, and what the message says."""

from __future__ import annotations

from typing import Any

from diptych.config import TrainingConfig
from diptych.errors import RunError
from diptych.training.checkpointing import Checkpoints
from diptych.training.schedule import Work
from diptych.training.state import TrainingState
from diptych.training.validation import ValidationResult

MOST_SKIPPED = 20
"""After more skipped steps in a row than this it is not a batch that is at fault, and training stops."""


class Guard:
    """Ends a training that has diverged; what it says names the step, the pairs and the last good checkpoint."""

    def __init__(self, config: TrainingConfig, checkpoints: Checkpoints) -> None:
        """Be as strict as the config says: `non_finite` is "stop" or "skip"."""
        self._config = config
        self._checkpoints = checkpoints

    def check_step(self, told: Any, work: Work, state: TrainingState) -> None:
        """Refuse a step that was not finite, unless it may be skipped.

        Args:
            told: what the step told: its loss and the gradient's norm.
            work: what it was given.
            state: where training is after it.

        Raises:
            RunError: the loss or the gradient is not finite, and the config says to stop, or too many were skipped.
        """
        row = state.skipped_in_a_row
        if told.is_finite or (self._config.non_finite == "skip" and row <= MOST_SKIPPED):
            return
        skipped = f" It was skipped like the {row - 1} before it, as many as are allowed." if row > 1 else ""
        raise RunError(
            f"{self._stopped(state)} the loss is {told.loss} and the gradient's norm {told.gradient_norm}, expected "
            f"finite numbers. The batch held the training pairs {work.row_list} (counted from 0).{skipped} "
            f"{self._checkpoints.latest()}; lower learning_rate or clip_norm, or look at these pairs"
        )

    def check_validation(self, result: ValidationResult, state: TrainingState) -> None:
        """Refuse a validation whose loss is not finite.

        Raises:
            RunError: it is not.
        """
        if not result.is_finite:
            raise RunError(
                f"{self._stopped(state)} the validation loss is {result.loss}, expected a finite number. "
                f"{self._checkpoints.latest()}; lower learning_rate or clip_norm"
            )

    def _stopped(self, state: TrainingState) -> str:
        return f"training with {self._checkpoints.backend} stopped at step {state.place.step}:"
