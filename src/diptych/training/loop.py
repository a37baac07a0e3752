"""The epoch loop, the same for every framework: steps, validation, checkpoints, early stopping, resuming.

Everything a step depends on follows from the config, the weights and the place in training, so a run that was stopped
anywhere and resumed computes what it would have computed, and one that was begun in one framework can go on in the
other.
"""

from __future__ import annotations

import shutil

from diptych.errors import RunError
from diptych.panel import BACKENDS
from diptych.runs.progress import Reporter, make_reporter
from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run
from diptych.training.report import TrainingReport
from diptych.training.session import Session
from diptych.training.state import TrainingState
from diptych.training.tensorboard import TENSORBOARD, check_installed

__all__ = ["TrainingReport", "train"]


def train(
    run: Run,
    backend: str,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    stop_at: int = 0,
    tensorboard: bool = False,
) -> TrainingReport:
    """Train a run with a backend, from its beginning or from where it stopped.

    To resume is to go on from the backend's latest checkpoint. Where there is none, or where the other backend went
    on from it and is further along, it is to go on from the other's: its best and latest checkpoint and its metrics
    are copied. Two backends that were both trained from the beginning do not get into each other's way. Where no
    backend has a checkpoint, training begins.

    On Ctrl-C the step is finished, a checkpoint written and the report returned with `interrupted`; a second Ctrl-C
    raises KeyboardInterrupt at once and leaves the checkpoint before.

    Args:
        run: what to train.
        backend: with which framework.
        resume: go on from where it stopped.
        overwrite: remove this backend's checkpoints and metrics and begin anew.
        threads: how many processor threads; None leaves that to the framework.
        device: auto, cpu or cuda.
        reporter: where to say how it goes; by default a bar on a terminal, lines elsewhere.
        stop_at: stop once so many steps have been done in all (0: do not), to be resumed later.
        tensorboard: also write losses and attention maps for TensorBoard, into RUN/tensorboard/BACKEND.

    Raises:
        RunError: there are checkpoints and neither `resume` nor `overwrite` was given, the loss is not finite, or the
            model cannot fit into memory.
        DataError: the corpus cannot be read.
        BackendError: the framework is not installed.
        UsageError: TensorBoard's package is not installed, and was asked for.
        CheckpointError: the checkpoint to go on from is damaged.
    """
    if tensorboard:
        check_installed()
    record = run.record(backend)
    if overwrite:
        record.clear()
        shutil.rmtree(run.folder / TENSORBOARD / backend, ignore_errors=True)
    elif not resume and record.steps() is not None:
        raise RunError(
            f"{run.folder} already has {record.steps()} steps trained with {backend}: --resume goes on from there, "
            f"--overwrite begins anew"
        )
    adopted = _adopt_where_further(run, backend) if resume else None
    session = Session(run, backend, reporter or make_reporter(), stop_at, tensorboard)
    if not session.finished:
        session.run_to_end(threads, device, f"goes on from the checkpoint of {adopted}" if adopted else "")
    return session.report()


def _adopt_where_further(run: Run, backend: str) -> str | None:
    """Copy another backend's training where this one goes on from it; returns that backend's name."""
    record = run.record(backend)
    own_steps = record.steps()
    own = _lineage(record) if own_steps is not None else ()
    for name in BACKENDS:
        other = run.record(name)
        steps = other.steps()
        if name == backend or steps is None or steps <= (own_steps or 0):
            continue
        if own_steps is None or _lineage(other)[: len(own)] == own:
            record.adopt(other)
            return name
    return None


def _lineage(record: TrainingRecord) -> tuple[tuple[str, int], ...]:
    return TrainingState.from_json(record.read_checkpoint("latest").state).lineage
