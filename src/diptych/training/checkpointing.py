"""The checkpoints of a training: which one it goes on from, also of the other framework, and where they are written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from diptych.config import read_config
from diptych.errors import RunError
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.checksums import CONFIG
from diptych.runs.locks import training_lock
from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run
from diptych.training.state import TrainingState
from diptych.training.tensorboard import TENSORBOARD


class Checkpoints:
    """The checkpoints of one backend of a run, as training sees them.

    Attributes:
        backend: with which framework is trained.
        notes: what is to be said about where training goes on.
    """

    def __init__(self, run: Run, backend: str) -> None:
        """Nothing is read or written before it is asked for.

        Raises:
            BackendError: no such backend trains.
        """
        self.backend = backend
        self.notes: list[str] = []
        self._run = run
        self._record = run.record(backend)
        self._lock = training_lock(run.folder, backend)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While this lasts no other process trains the run with this backend, or replaces the run.

        Raises:
            RunError: another one does, and the message names it; or one has replaced the run since it was opened.
        """
        with self._lock:
            if read_config(self._run.folder / CONFIG) != self._run.config:
                raise RunError(f"{self._run.folder} was replaced by another run since it was opened: start again")
            yield

    def check_in_place(self) -> None:
        """Refuse to go on where what is written would end up in another run, or nowhere.

        Raises:
            RunError: the run's folder was moved, removed or replaced.
        """
        if not self._lock.is_in_place():
            raise RunError(
                f"{self._run.folder} was moved or removed while it was trained; go on from its latest checkpoint, "
                f"where it is now, with --resume"
            )

    def begin(self, resume: bool, overwrite: bool) -> tuple[Checkpoint | None, TrainingState]:
        """What to go on from, and where in training that is; None, and the very beginning, where there is nothing.

        Args:
            resume: go on from the latest checkpoint, or from another backend's where that went on from it.
            overwrite: remove what is there.

        Raises:
            RunError: there are checkpoints, and it was not said what to do with them.
            CheckpointError: the checkpoint is damaged.
        """
        if overwrite:
            self._record.clear()
            shutil.rmtree(self._run.folder / TENSORBOARD / self.backend, ignore_errors=True)
            for watcher in ("mlflow", "wandb"):  # what is told from now on belongs to another training
                (self._run.folder / watcher / f"run-{self.backend}.txt").unlink(missing_ok=True)
        elif resume:
            self.notes += filter(None, [self._record.recover()])
            self._adopt_where_further()
        elif (steps := self._record.steps()) is not None:
            raise RunError(
                f"{self._run.folder} already has {steps} steps trained with {self.backend}: --resume goes on from "
                f"there, --overwrite begins anew"
            )
        return self.read()

    def read(self) -> tuple[Checkpoint | None, TrainingState]:
        """The latest checkpoint, and where in training that is; None, and the very beginning, where there is none.

        Raises:
            CheckpointError: the checkpoint is damaged.
        """
        if self._record.steps() is None:
            return None, TrainingState().on(self.backend)
        checkpoint = self._record.read_checkpoint("latest")
        return checkpoint, TrainingState.from_json(checkpoint.state).on(self.backend)

    def save(self, checkpoint: Checkpoint, best: bool = False) -> None:
        """Write a checkpoint as the latest one, and as the best if it is.

        Raises:
            CheckpointError: a weight is not finite, or the disk refuses.
        """
        self._record.write_checkpoint(checkpoint, best)

    def latest(self) -> str:
        """What a message says of the latest checkpoint where training fails after it."""
        steps = self._record.steps()
        return "No checkpoint was written yet" if steps is None else f"The checkpoint of step {steps} is as it was"

    def _adopt_where_further(self) -> None:
        """Copy another backend's training where it is further along, and went on from this one's."""
        own_steps = self._record.steps()
        own = () if own_steps is None else _lineage(self._record)
        for name in BACKENDS:
            other = self._run.record(name)
            steps = other.steps()
            if name == self.backend or steps is None or steps <= (own_steps or 0):
                continue
            if own_steps is None or _lineage(other)[: len(own)] == own:
                self._record.adopt(other)
                self.notes.append(f"goes on from the checkpoint of {name}")
                return


def _lineage(record: TrainingRecord) -> tuple[tuple[str, int], ...]:
    return TrainingState.from_json(record.read_checkpoint("latest").state).lineage
