"""The training loop: batch, step, metrics, validation, checkpoint, stop; the same for every framework.

Everything a step depends on follows from the config, the weights and the place in training, so a run that was stopped
anywhere and resumed computes what it would have computed, and one that was begun in one framework can go on in the
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from diptych.errors import CheckpointError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.progress import QuietReporter, Reporter, make_reporter
from diptych.runs.run import Run
from diptych.training.checkpointing import Checkpoints
from diptych.training.evidence import Evidence
from diptych.training.guard import Guard
from diptych.training.interruption import Interruption
from diptych.training.journal import Journal
from diptych.training.learner import Learner
from diptych.training.learning_rate import learning_rate
from diptych.training.memory import check_memory
from diptych.training.report import TrainingReport
from diptych.training.schedule import schedule, steps_per_epoch, total_steps
from diptych.training.shards import check_workers
from diptych.training.state import TrainingState
from diptych.training.validation import Validation
from diptych.training.watching import check_watchers
from diptych.workers.group import Workers

__all__ = ["TrainingReport", "train"]


def train(
    run: Run | str | Path,
    backend: str = "pytorch",
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    stop_at: int = 0,
    tensorboard: bool = False,
    measure_gaps: bool = False,
    workers: Workers | None = None,
    watch: Sequence[str] = (),
) -> TrainingReport:
    """Train a run with a backend, from its beginning or from where it stopped.

    To resume is to go on from the backend's latest checkpoint. Where there is none, or where the other backend went
    on from it and is further along, it is to go on from the other's: its best and latest checkpoint and its metrics
    are copied. Two backends that were both trained from the beginning do not get into each other's way. Where no
    backend has a checkpoint, training begins.

    On Ctrl-C the step is finished, a checkpoint written and the report returned with `interrupted`; a second Ctrl-C
    raises KeyboardInterrupt at once and leaves the checkpoint before. SIGTERM and SIGHUP too wait for the step and its
    checkpoint, and then do what they do. Of two processes that train one run with the same backend, the second is
    refused, unless both are workers of one training: each does its shards of every step and its part of the
    validations, worker 0 alone writes, and all see the run's folder (docs/distributed.md).

    Args:
        run: what to train, or its folder.
        backend: with which framework.
        resume: go on from where it stopped.
        overwrite: remove this backend's checkpoints and metrics and begin anew.
        threads: how many processor threads; None leaves that to the framework.
        device: auto, cpu or cuda.
        reporter: where to say how it goes; by default a bar on a terminal, lines elsewhere.
        stop_at: stop once so many steps have been done in all (0: do not), to be resumed later.
        tensorboard: also write losses and attention maps for TensorBoard, into RUN/tensorboard/BACKEND.
        measure_gaps: in exact training, at some steps keep all weights as they were before rounding, or compare them
            with those of the run's other backend where that has been trained, see `diptych.training.evidence`.
        workers: this process among the others that share the training, see `Workers.join`; None: it trains alone.
        watch: who else is told of it: "tensorboard", "mlflow", "wandb", see `diptych.training.watching`.

    Raises:
        RunError: there are checkpoints and neither `resume` nor `overwrite` was given, the loss is not finite, or the
            model cannot fit into memory; or another process trains this, which the message names.
        DataError: the corpus cannot be read.
        BackendError: the framework is not installed.
        UsageError: a watcher's package is not installed, and was asked for; or there are more workers than shards.
        WorkerError: another worker is lost, or has other weights than this one.
        CheckpointError: the checkpoint to go on from is damaged.
    """
    watchers = tuple(dict.fromkeys([*(["tensorboard"] if tensorboard else []), *watch]))
    check_watchers(watchers)
    run, workers = Run.of(run), workers or Workers()
    check_workers(run.config.training, workers.size)
    reporter = (reporter or make_reporter()) if workers.leads else QuietReporter()
    checkpoints = Checkpoints(run, backend)
    with ExitStack() as stack:

        def begin() -> tuple[Checkpoint | None, TrainingState]:
            stack.enter_context(checkpoints.alone())
            return checkpoints.begin(resume, overwrite)

        checkpoint, state = workers.first(begin) or checkpoints.read()
        return _train(
            run,
            checkpoints,
            checkpoint=checkpoint,
            state=state,
            workers=workers,
            reporter=reporter,
            stop_at=stop_at,
            threads=threads,
            device=device,
            watchers=watchers,
            measure_gaps=measure_gaps,
        )


def _train(
    run: Run,
    checkpoints: Checkpoints,
    checkpoint: Checkpoint | None,
    state: TrainingState,
    *,
    workers: Workers,
    reporter: Reporter,
    stop_at: int,
    threads: int | None,
    device: str,
    watchers: Sequence[str],
    measure_gaps: bool,
) -> TrainingReport:
    """Go on from a checkpoint, or from the initial weights, while nobody else trains this; see `train`."""
    # Where training begins, and where it ends.
    backend = checkpoints.backend
    corpus = workers.first(lambda: run.encoded(reporter)) or run.encoded()
    pairs, config = corpus.train, run.config.training
    per_epoch = steps_per_epoch(pairs, run.config)
    if state.data == corpus.fingerprint and state.place.position >= per_epoch:
        raise CheckpointError(
            f"the checkpoint of step {state.place.step} stands at step {state.place.position} of an epoch, which has "
            f"{per_epoch}: it was altered; train anew with --overwrite"
        )
    last_step = total_steps(pairs, run.config, state.place)
    stop_at = min(stop_at or last_step, last_step)
    journal = Journal(run, backend, reporter, begun_at=state.place.step, writes=workers.leads)
    if state.is_finished(config.patience, last_step):
        return journal.report(state, last_step, dropped=corpus.dropped)

    # The model and its optimizer; what each step is given; what judges the weights.
    journal.cut(state.validated)
    check_memory(run, pairs, device)
    learner = Learner(run, backend, checkpoint, state=state, threads=threads, device=device, workers=workers)
    evidence = Evidence(run, backend, learner, begun_at=state.place.step, measure_gaps=measure_gaps, workers=workers)
    changes = [*state.changes_of(corpus.fingerprint), *state.changes_of_threads(threads)]
    notes = [*checkpoints.notes, *changes, *evidence.notes]
    state = replace(state, data=corpus.fingerprint, choices={**state.choices, backend: learner.choices})
    state = state.shared_by(workers.size, threads, config)
    place, own = state.place, {"worker": workers.rank, "workers": workers.size}
    works = schedule(pairs, run.config, place, steps=stop_at - place.step, resample=run.resampling(), **own)
    validation = Validation(run, corpus.validation, workers)
    guard = Guard(config, checkpoints)

    def save(state: TrainingState, best: bool = False) -> None:
        checkpoints.save(learner.checkpoint(state), best)

    def check_in_place() -> None:  # before whatever is written, or it would make the folder anew
        if workers.leads:
            checkpoints.check_in_place()

    unsaved = stopping = False
    alone = workers.size == 1

    with journal.writing(last_step, notes, watchers), Interruption() as interruption, closing(works):
        while True:
            if not state.validated:  # of a run that is gone on with, too: it may have been stopped before a validation
                with learner.averaged():
                    result = validation(learner.training, learner.translator, lambda: alone and interruption.requested)
                    if result is not None:
                        guard.check_validation(result, state)
                        check_in_place()
                        state = state.after_validation(result.loss, result.scores, config)
                        pictures = partial(learner.pictures, validation.pairs)
                        journal.validation(state, result, pictures=pictures, digest=evidence.digest())
                        workers.first(partial(save, state, best=state.is_best))  # told of before: or never
                        unsaved = False
                stopping = any(workers.gather(interruption.requested))
            stopping = stopping or (alone and interruption.requested)
            if state.place.step >= stop_at or state.has_stopped_early(config.patience) or stopping:
                break

            work = next(works)
            rate = learning_rate(config, state.place.step, total=last_step, plateau=state.plateau)
            evidence.before(state.place.step + 1)
            told = learner.step(work, rate, step=state.place.step, last_step=last_step, stop=interruption.requested)
            check_in_place()
            stopping = told.stop
            state = state.after_step(per_epoch, config.validate_every, last_step=last_step, skipped=not told.is_finite)
            guard.check_step(told, work, state)
            step = state.place.step
            journal.step(work, told, step=step, rate=rate, evidence=evidence.of_step(told, step, step == last_step))
            unsaved = True

        if unsaved:
            check_in_place()
            with learner.averaged():
                workers.first(partial(save, state))
        workers.gather(None)  # nobody leaves before all are done
    return journal.report(state, last_step, dropped=corpus.dropped, interrupted=stopping)
