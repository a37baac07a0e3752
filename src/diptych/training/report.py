"""What training did, for whoever called it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingReport:
    """What training did.

    Attributes:
        backend: the framework.
        steps: optimizer steps of the whole run, those before it was resumed included.
        epochs: whole epochs of the whole run.
        resumed_from: the step at which this session began.
        losses: the loss per target token of each step of the whole run that was not skipped.
        validation_losses: (step, loss per target token) of each validation of the whole run.
        validation_scores: (step, scores by name) of each validation that translated; see `diptych.evaluation.Scores`.
        best_validation_loss: that of the best validation; None where there has been none.
        best_step: the step of the best validation.
        stop_metric: what it is the best by.
        best_score: the score it had; None where `stop_metric` is the loss, or there has been no validation.
        skipped: steps of the whole run that were skipped because a loss or gradient was not finite.
        dropped: training pairs that were left out, by reason.
        seconds: time this session spent in steps, without the first one, validations and checkpoints.
        target_tokens: target tokens trained on in these seconds.
        compile_seconds: time of this session's first step, in which a framework compiles what it will run.
        finished: the last step of the config was done, or training stopped early.
        stopped_early: `patience` validations went by without a better one.
        interrupted: Ctrl-C or another signal ended it; it can be resumed.
    """

    backend: str
    steps: int
    epochs: int
    resumed_from: int
    losses: list[float]
    validation_losses: list[tuple[int, float]]
    validation_scores: list[tuple[int, dict[str, float]]]
    best_validation_loss: float | None
    best_step: int
    stop_metric: str
    best_score: float | None
    skipped: int
    dropped: dict[str, int]
    seconds: float
    target_tokens: int
    compile_seconds: float
    finished: bool
    stopped_early: bool
    interrupted: bool

    @property
    def target_tokens_per_second(self) -> float:
        """Target tokens trained on per second, without the first step; 0 where there was no other."""
        return self.target_tokens / self.seconds if self.seconds else 0.0
