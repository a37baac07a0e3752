"""One session of training: from a place in the run to its end, an early stop or Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from diptych.data.tokens.batches import Batch
from diptych.errors import RunError
from diptych.panel import load
from diptych.parameters.checkpoint import Checkpoint
from diptych.processes.environment import environment
from diptych.runs.progress import Reporter
from diptych.runs.run import Run
from diptych.search import Stepper
from diptych.training.interruption import Interruption
from diptych.training.learning_rate import learning_rate
from diptych.training.memory import check_memory, out_of_memory
from diptych.training.report import TrainingReport
from diptych.training.schedule import Masks, Work, schedule, steps_per_epoch, take_step, total_steps
from diptych.training.scheduled_sampling import mix, teacher_forcing_ratio
from diptych.training.state import TrainingState
from diptych.training.tensorboard import TENSORBOARD, TensorBoardLog, attention_pictures
from diptych.training.validation import SCORES, Validation
from diptych.translation.translator import Translator

MOST_SKIPPED = 20
"""After more skipped steps in a row than this it is not a batch that is at fault, and training stops."""


class Session:
    """One call of `train`: what it is given, and what changes from step to step."""

    def __init__(self, run: Run, backend: str, reporter: Reporter, stop_at: int, tensorboard: bool = False) -> None:
        """Find the place to go on from, and open the corpus."""
        self.run, self.backend, self.reporter = run, backend, reporter
        self.record = run.record(backend)
        self.checkpoint: Checkpoint | None = None
        if self.record.steps() is not None:
            self.checkpoint = self.record.read_checkpoint("latest")
        found = TrainingState.from_json(self.checkpoint.state) if self.checkpoint else TrainingState()
        self.state = self.saved = found.on(backend)

        self.corpus = run.encoded(reporter)
        self.pairs = self.corpus.train
        self.validation = Validation(run, self.corpus.validation)
        self.steps_per_epoch = steps_per_epoch(self.pairs, run.config)
        self.last_step = total_steps(self.pairs, run.config, found.place)
        self.stop_at = min(stop_at or self.last_step, self.last_step)
        self.resumed_from = found.place.step
        self.interrupted = False
        self.seconds = self.compile_seconds = 0.0
        self.target_tokens = 0
        self.tensorboard = tensorboard
        self.log: TensorBoardLog | None = None

    @property
    def stopped_early(self) -> bool:
        """Whether validation after validation was no better."""
        patience = self.run.config.training.patience
        return 0 < patience <= self.state.bad_validations

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state.validated and (self.stopped_early or self.state.place.step >= self.last_step)

    def run_to_end(self, threads: int | None, device: str, note: str) -> None:
        """Train until the end, an early stop, `stop_at` or Ctrl-C, and leave a checkpoint."""
        self.record.write_metrics(line for line in self.record.read_metrics() if line["step"] <= self.state.place.step)
        notes = filter(None, (note, self._changed_data()))
        check_memory(self.run, self.pairs, device)
        self._build(threads, device)
        if self.tensorboard:
            self.log = TensorBoardLog(self.run.folder / TENSORBOARD / self.backend, self.resumed_from)
        self.reporter.begin(self.backend, self.state.place.step, self.last_step)
        try:
            for text in notes:
                self.reporter.note(text)
            with Interruption() as interruption:
                self._train(interruption)
                self.interrupted = interruption.requested and not self.finished
                if self.saved is not self.state:
                    with self._averaged():
                        self._save()
        finally:
            self.reporter.end()
            if self.log:
                self.log.close()

    def report(self) -> TrainingReport:
        """What has been done so far."""
        lines = self.record.read_metrics()
        return TrainingReport(
            backend=self.backend,
            steps=self.state.place.step,
            epochs=self.state.place.epoch,
            resumed_from=self.resumed_from,
            losses=[line["loss"] for line in lines if "loss" in line],
            validation_losses=[(line["step"], line["validation_loss"]) for line in lines if "validation_loss" in line],
            validation_scores=[
                (line["step"], {name: line[name] for name in SCORES}) for line in lines if SCORES[0] in line
            ],
            best_validation_loss=self.state.best_validation_loss,
            best_step=self.state.best_step,
            stop_metric=self.run.config.training.stop_metric,
            best_score=self.state.best_score,
            skipped=self.state.skipped,
            dropped=self.corpus.dropped,
            seconds=self.seconds,
            target_tokens=self.target_tokens,
            compile_seconds=self.compile_seconds,
            finished=self.finished,
            stopped_early=self.stopped_early,
            interrupted=self.interrupted,
        )

    def _changed_data(self) -> str:
        """A warning where the training pairs are not those that the checkpoint was trained on."""
        before, now = self.state.data, self.corpus.fingerprint
        self.state = self.saved = replace(self.state, data=now)
        if before in ("", now):
            return ""
        return "the corpus has changed since the checkpoint was written: this goes on with the new one"

    def _build(self, threads: int | None, device: str) -> None:
        """Import the framework and make the model and the optimizer, with the checkpoint's values if there is one."""
        run, panel = self.run, load(self.backend, threads, device)
        vocabulary_sizes = len(run.source_vocabulary), len(run.target_vocabulary)
        self.panel = panel
        panel.settle(self.state.choices.get(self.backend, {}))
        self.model = panel.Model(run.config.model, *vocabulary_sizes, precision=run.config.training.precision)
        panel.load_parameters(self.model, self.checkpoint.parameters if self.checkpoint else run.initial_parameters())
        self.training = panel.TrainingStep(self.model, run.config.training)
        if self.checkpoint:
            self.training.load_state(self.checkpoint.optimizer, self.state.updates)
            self.training.swap_average()  # a checkpoint's model is the average
        self.checkpoint = None
        choices = panel.choices()
        self.state = self.saved = replace(self.state, choices={**self.state.choices, self.backend: choices})
        circumstances = {"threads": threads, "device": device, "versions": panel.versions(), "choices": choices}
        run.write_environment(self.backend, environment() | circumstances)

    def _train(self, interruption: Interruption) -> None:
        """Step after step, with validations between."""
        if not self.state.validated:  # interrupted between a step and its validation
            with self._averaged():
                self._validate(interruption)
        steps = 0 if self.finished or interruption.requested else self.stop_at - self.state.place.step
        resample = self.run.resampling()
        with closing(schedule(self.pairs, self.run.config, self.state.place, steps, resample)) as work_list:
            mark = time.perf_counter()
            for work in work_list:
                mark = self._step(work, mark)
                if not self.state.validated:
                    with self._averaged():
                        self._validate(interruption)
                    mark = time.perf_counter()
                if self.stopped_early or interruption.requested:
                    break

    def _step(self, work: Work, mark: float) -> float:
        """One optimizer step; returns when it ended, having begun (with waiting for its batch) at `mark`."""
        config = self.run.config.training
        rate = learning_rate(config, self.state.place.step, self.last_step, self.state.plateau)
        try:
            parts = self._own_tokens_mixed_in(work)
            result = take_step(self.training, parts, rate)
        except Exception as error:
            if explained := out_of_memory(error, self.run, work.batch):
                raise explained from error
            raise
        now = time.perf_counter()
        finite = math.isfinite(result.loss) and math.isfinite(result.gradient_norm)
        if not finite and config.non_finite == "stop":
            raise self._not_finite(work, result, self.state.place.step + 1)
        self.state = self.state.after_step(
            self.steps_per_epoch, config.validate_every, self.last_step, skipped=not finite
        )
        step = self.state.place.step
        if self.state.skipped_in_a_row > MOST_SKIPPED:
            raise self._not_finite(work, result, step)
        if step == self.resumed_from + 1:
            self.compile_seconds = now - mark
        else:
            self.seconds += now - mark
            self.target_tokens += work.target_tokens if finite else 0
        line = {
            "step": step,
            "epoch": work.epoch + 1,
            "loss": float(result.loss),
            "gradient_norm": float(result.gradient_norm),
            "learning_rate": rate,
            "target_tokens": work.target_tokens,
            "seconds": round(now - mark, 6),
            "backend": self.backend,
        }
        if not finite:
            self._skip(line, work)
            return now
        self.record.append_metrics(line)
        self.reporter.step(line)
        if self.log:
            self.log.scalars(line)
        return now

    def _own_tokens_mixed_in(self, work: Work) -> list[tuple[Batch, Masks]]:
        """The step's batches, with the model's own tokens among those that are read, where the config asks for it."""
        config, step = self.run.config.training, self.state.place.step
        ratio = teacher_forcing_ratio(config, step, self.last_step)
        if ratio >= 1.0:
            return work.parts
        return [
            (mix(batch, self.training.predict(batch, masks), ratio, config.seed, step, part), masks)
            for part, (batch, masks) in enumerate(work.parts)
        ]

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """While this lasts, the model's weights are their moving average, if there is one."""
        self.training.swap_average()
        try:
            yield
        finally:
            self.training.swap_average()

    def _skip(self, line: dict[str, Any], work: Work) -> None:
        """Note a step that was skipped, in the metrics without the numbers that are none."""
        self.reporter.note(
            f"step {line['step']} is skipped: the loss is {line.pop('loss')}, the gradient's norm "
            f"{line.pop('gradient_norm')}; the batch holds the training pairs {_rows(work)} (counted from 0)"
        )
        self.record.append_metrics(line | {"skipped": True, "rows": work.rows})

    def _not_finite(self, work: Work, result: Any, step: int) -> RunError:
        """Why training stops at a step whose loss or gradient is not finite."""
        row = self.state.skipped_in_a_row
        skipped = f" It was skipped like the {row - 1} before it, as many as are allowed." if row > 1 else ""
        return RunError(
            f"training with {self.backend} stopped at step {step}: the loss is {result.loss} and the gradient's "
            f"norm {result.gradient_norm}, expected finite numbers. The batch held the training pairs {_rows(work)} "
            f"(counted from 0).{skipped} {self._last_checkpoint()}; lower learning_rate or clip_norm, or look at these "
            f"pairs"
        )

    def _validate(self, interruption: Interruption) -> None:
        """The loss over the validation pairs, scores if wanted, and a checkpoint; nothing if Ctrl-C comes before."""
        found = self.validation(self.training, self._translator, lambda: interruption.requested)
        if found is None:
            return
        if not math.isfinite(found.loss):
            raise RunError(
                f"training with {self.backend} stopped at step {self.state.place.step}: the validation loss is "
                f"{found.loss}, expected a finite number. {self._last_checkpoint()}; lower learning_rate or clip_norm"
            )
        self.state = self.state.after_validation(found.loss, found.scores, self.run.config.training)
        best = self.state.best_step == self.state.place.step
        told = {"step": self.state.place.step, "validation_loss": found.loss}
        line = told | found.scores | {"best": best, "backend": self.backend}
        self.record.append_metrics(line)
        self._save(best)
        self.reporter.validation(line)
        if self.log:
            self.log.scalars(line)
            for tag, png in attention_pictures(self._stepper, self.validation.pairs, self.run).items():
                self.log.picture(tag, png, self.state.place.step)
            self.log.flush()

    @cached_property
    def _stepper(self) -> Stepper:
        """Searches with the model as it is."""
        return self.panel.Stepper(self.model)  # type: ignore[no-any-return]

    def _translator(self) -> Translator:
        """Translates with the model as it is."""
        return Translator.of_model(self.run, self.backend, self.model, self._stepper)

    def _save(self, best: bool = False) -> None:
        """Write the checkpoint of this place."""
        parameters = self.panel.export_parameters(self.model)
        self.record.write_checkpoint(Checkpoint(parameters, self.training.export_state(), self.state.to_json()), best)
        self.saved = self.state

    def _last_checkpoint(self) -> str:
        steps = self.record.steps()
        return "No checkpoint was written yet" if steps is None else f"The checkpoint of step {steps} is as it was"


def _rows(work: Work) -> str:
    """Which pairs a batch holds."""
    return ", ".join(map(str, work.rows))
