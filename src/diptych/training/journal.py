"""What is told of a training while it runs: metrics.jsonl, the reporter, watchers, and the time that steps take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from diptych.runs.progress import Reporter
from diptych.runs.run import Run
from diptych.training.report import TrainingReport
from diptych.training.schedule import Work
from diptych.training.state import TrainingState
from diptych.training.validation import SCORES, ValidationResult
from diptych.training.watching import Watcher, open_watcher


class Journal:
    """Tells of each step and each validation of one call of `train`, and sums them up."""

    def __init__(self, run: Run, backend: str, reporter: Reporter, begun_at: int, writes: bool = True) -> None:
        """Begin after so many steps; of several workers one writes."""
        self._writes = writes
        self._run, self._backend, self._reporter, self._begun_at = run, backend, reporter, begun_at
        self._record = run.record(backend)
        self._watchers: list[Watcher] = []
        self._mark = 0.0
        self._seconds = self._compile_seconds = 0.0
        self._target_tokens = 0

    def cut(self, validated: bool) -> None:
        """Forget what metrics.jsonl tells of what came after the checkpoint that is gone on from.

        Args:
            validated: whether that one's validation has been done; where it has not, it is told of anew.
        """

        def holds(line: Mapping[str, Any]) -> bool:
            told_anew = not validated and "validation_loss" in line
            return bool(line["step"] < self._begun_at or (line["step"] == self._begun_at and not told_anew))

        if self._writes:
            self._record.write_metrics(filter(holds, self._record.read_metrics()))

    @contextmanager
    def writing(self, last_step: int, notes: Sequence[str], watchers: Sequence[str]) -> Iterator[None]:
        """While this lasts, steps and validations are told of; the clock runs from here on.

        Args:
            last_step: how many steps there will be in all.
            notes: what is said first.
            watchers: who is told, too, see `diptych.training.watching`.
        """
        if self._writes:
            self._watchers = [
                open_watcher(name, self._run, backend=self._backend, step=self._begun_at) for name in watchers
            ]
        self._reporter.begin(self._backend, self._begun_at, last_step)
        try:
            for text in notes:
                self._reporter.note(text)
            self._mark = time.perf_counter()
            yield
        finally:
            self._reporter.end()
            for watcher in self._watchers:
                watcher.close()

    def step(self, work: Work, told: Any, *, step: int, rate: float, evidence: Mapping[str, Any]) -> None:
        """Tell of a step that is just done: it took from the one before, or from the validation after that, to now.

        Args:
            work: what it was given.
            told: its loss and its gradient's norm; if they are not finite, it was skipped.
            step: its number, from 1.
            rate: the learning rate.
            evidence: what it left to compare runs by, see `Evidence`.
        """
        now = time.perf_counter()
        seconds, self._mark = now - self._mark, now
        if step == self._begun_at + 1:
            self._compile_seconds = seconds
        else:
            self._seconds += seconds
            self._target_tokens += work.target_tokens if told.is_finite else 0
        numbers = {"loss": float(told.loss), "gradient_norm": float(told.gradient_norm)}
        rest = {
            "learning_rate": rate,
            "target_tokens": work.target_tokens,
            "seconds": round(seconds, 6),
            "backend": self._backend,
        }
        line: dict[str, Any] = {"step": step, "epoch": work.epoch + 1}
        if told.is_finite:
            line |= {**numbers, **rest, **evidence}
            self._write(line)
            self._reporter.step(line)
            self._tell_watchers(line)
        else:  # JSON has no NaN
            self._reporter.note(
                f"step {step} is skipped: the loss is {told.loss}, the gradient's norm {told.gradient_norm}; the batch "
                f"holds the training pairs {work.row_list} (counted from 0)"
            )
            self._write(line | rest | {"skipped": True, "rows": work.rows})

    def validation(
        self,
        state: TrainingState,
        result: ValidationResult,
        *,
        pictures: Callable[[], Mapping[str, bytes]],
        digest: str,
    ) -> None:
        """Tell of a validation, and begin to count the next step's time.

        Args:
            state: where training is after it.
            result: what it gave.
            pictures: makes what watchers show beside it, as PNG by name.
            digest: of the weights that were validated.
        """
        step = state.place.step
        told = {"step": step, "validation_loss": result.loss}
        line = told | result.scores | {"best": state.is_best, "digest": digest, "backend": self._backend}
        self._write(line)
        self._reporter.validation(line)
        if result.warning:
            self._reporter.note(f"step {step}: {result.warning}; if that stays so, the model does not learn its task")
        self._tell_watchers(line)
        if self._watchers:
            for tag, png in pictures().items():
                for watcher in self._watchers:
                    watcher.picture(tag, png, step)
            for watcher in self._watchers:
                watcher.flush()
        self._mark = time.perf_counter()

    def report(
        self, state: TrainingState, last_step: int, *, dropped: dict[str, int], interrupted: bool = False
    ) -> TrainingReport:
        """What has been done so far.

        Args:
            state: where training is.
            last_step: how many steps there will be in all.
            dropped: training pairs that were left out, by reason.
            interrupted: whether Ctrl-C was pressed; it has interrupted only what is not finished.
        """
        training = self._run.config.training
        lines = self._record.read_metrics()
        finished = state.is_finished(training.patience, last_step)
        return TrainingReport(
            backend=self._backend,
            steps=state.place.step,
            epochs=state.place.epoch,
            resumed_from=self._begun_at,
            losses=[line["loss"] for line in lines if "loss" in line],
            validation_losses=[(line["step"], line["validation_loss"]) for line in lines if "validation_loss" in line],
            validation_scores=[
                (line["step"], {name: line[name] for name in SCORES}) for line in lines if SCORES[0] in line
            ],
            best_validation_loss=state.best_validation_loss,
            best_step=state.best_step,
            stop_metric=training.stop_metric,
            best_score=state.best_score,
            skipped=state.skipped,
            dropped=dropped,
            seconds=self._seconds,
            target_tokens=self._target_tokens,
            compile_seconds=self._compile_seconds,
            finished=finished,
            stopped_early=state.has_stopped_early(training.patience),
            interrupted=interrupted and not finished,
        )

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._writes:
            self._record.append_metrics(line)

    def _tell_watchers(self, line: Mapping[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.scalars(line)
