"""What training with one backend leaves in a run's folder: its checkpoints and its metrics.

    RUN/BACKEND/metrics.jsonl
                ties.jsonl           exact training: the weights that nearly lay halfway, see `diptych.parameters.grid`
                checkpoints/latest   best   step-00000500/

`latest` and `best` are small text files that hold a checkpoint's name. They change only once the checkpoint they name
is in place, and old checkpoints go only after that, so at every moment both can be read.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diptych.errors import CheckpointError, RunError
from diptych.parameters.checkpoint import LARGEST_STATE, STATE, Checkpoint, read_checkpoint, write_checkpoint
from diptych.parameters.grid import Tie
from diptych.parameters.specification import Parameter
from diptych.runs.json_lines import read_json_lines, read_metrics
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.manifest import ADVICE
from diptych.storage.place import make_folder, remove_leftovers, replace_file, sync_file

AVERAGES = ("average-latest", "average-best")
_STEP = re.compile(r"step-([0-9]{8,18})")
_LONGEST_NAME = 256


@dataclass(frozen=True)
class TrainingRecord:
    """One backend's checkpoints and metrics.

    Attributes:
        folder: RUN/BACKEND; it need not exist yet.
        specification: the weights that every checkpoint must hold.
        keep: how many of the newest checkpoints are kept.
        keep_best: how many of the best.
    """

    folder: Path
    specification: Mapping[str, Parameter]
    keep: int = 2
    keep_best: int = 1

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def metrics(self) -> Path:
        """The file of the metrics, one JSON object a line."""
        return self.folder / "metrics.jsonl"

    @property
    def ties(self) -> Path:
        """The file of exact training's near ties, one JSON object for each step that had any."""
        return self.folder / "ties.jsonl"

    def steps(self) -> int | None:
        """How many optimizer steps the latest checkpoint stands for; None where there is no checkpoint."""
        name = self._pointer("latest")
        return None if name is None else int(name.removeprefix("step-"))

    def write_checkpoint(self, checkpoint: Checkpoint, best: bool = False) -> str:
        """Write a checkpoint as the latest, and as the best one if it is; then remove the old ones.

        Returns:
            Its name, from the step in its state.

        Raises:
            CheckpointError: a number is not finite, or the disk refuses; `latest` and `best` are what they were.
        """
        name = f"step-{int(checkpoint.state['step']):08d}"
        try:
            for log in (self.metrics, self.ties):
                sync_file(log)  # a checkpoint's steps have been told of
        except OSError as error:
            raise CheckpointError(f"cannot write {log}: {error.strerror}; make room") from error
        write_checkpoint(self.checkpoints / name, checkpoint)
        try:
            # The best first: `latest` is what training goes on from, and would not make this one the best again.
            for pointer in ("best", "latest") if best else ("latest",):
                replace_file(self.checkpoints / pointer, f"{name}\n")
        except OSError as error:
            raise CheckpointError(f"cannot write in {self.checkpoints}: {error.strerror}; make room") from error
        self._prune()
        return name

    def read_checkpoint(self, which: str = "best") -> Checkpoint:
        """Read the "best" or "latest" checkpoint, or one by name; the best is the latest until there was a validation.

        "average-latest" and "average-best" are the mean of the weights of the newest or the best checkpoints that are
        kept, without an optimizer's state: to translate with, not to go on from.

        Raises:
            CheckpointError: there is no such checkpoint, or it is damaged or of another model.
        """
        if which in AVERAGES:
            return self._average(which)
        if which not in ("best", "latest") and not _STEP.fullmatch(which):
            raise CheckpointError(
                f"unknown checkpoint {which!r}; choose 'best', 'latest', 'average-best', 'average-latest' or a name: "
                f"{self._names()}"
            )
        while True:
            name = which if _STEP.fullmatch(which) else self._pointer(which) or self._pointer("latest")
            if name is None:
                raise CheckpointError(f"no checkpoint in {self.checkpoints}: train the run with this backend first")
            try:
                return self._read(name)
            except CheckpointError:
                if name in (which, self._pointer(which), self._pointer("latest")):
                    raise
                # A training that goes on has written another one, and removed this one while it was read.

    def recover(self) -> str:
        """Where the latest checkpoint is damaged or lost, make the newest whole one the latest; remove what is not.

        Returns:
            What is to be said of it; "" where nothing was wrong.

        Raises:
            CheckpointError: there are checkpoints, and none of them is whole.
        """
        names = self.checkpoint_names()
        try:
            if self._pointer("latest") is None and names:
                raise CheckpointError(f"{self.checkpoints} has no file `latest`")
            if names:
                self.read_checkpoint("latest")
            return ""
        except CheckpointError as error:
            problem = error
        whole = next(filter(self._is_whole, reversed(names)), None)
        if whole is None:
            raise problem
        self._remove(name for name in names if _step_of(name) > _step_of(whole))
        best = [*self._best(), whole][0]
        for pointer, name in (("best", best), ("latest", whole)):
            replace_file(self.checkpoints / pointer, f"{name}\n")
        return f"{problem}; what is whole is {whole}: goes on from there"

    def adopt(self, other: TrainingRecord) -> None:
        """Take over another backend's best and latest checkpoint and its metrics, to go on from there.

        Raises:
            CheckpointError: a checkpoint is damaged; nothing has changed then.
        """
        latest = other.read_checkpoint("latest")
        best = other.read_checkpoint("best") if other._pointer("best") else None
        steps = latest.state["step"]
        self.write_metrics(line for line in other.read_metrics() if line["step"] <= steps)
        if other.ties.is_file():
            self.write_ties({step: ties for step, ties in other.read_ties().items() if step <= steps})
        if best is not None:
            self.write_checkpoint(best, best=True)
        if best is None or best.state["step"] != latest.state["step"]:
            self.write_checkpoint(latest)

    def append_metrics(self, line: Mapping[str, Any]) -> None:
        """Add one line to the metrics.

        Raises:
            RunError: the disk refuses.
        """
        self._append(self.metrics, line)

    def read_metrics(self) -> list[dict[str, Any]]:
        """Every line of the metrics, in order; a last line that was cut short when its process ended is left out.

        Raises:
            RunError: another line is not a JSON object with a step, or has no number where one should be.
        """
        return read_metrics(self.metrics)

    def write_metrics(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Put these lines in place of all there are."""
        make_folder(self.folder)
        replace_file(self.metrics, "".join(map(_format, lines)))

    def append_ties(self, step: int, ties: Iterable[Tie]) -> None:
        """Add the near ties of one step."""
        self._append(self.ties, {"step": step, "ties": [list(tie) for tie in ties]})

    def read_ties(self) -> dict[int, list[Tie]]:
        """The near ties by step; a last line that was cut short is left out.

        Raises:
            RunError: another line is none of ours.
        """
        try:
            return {int(line["step"]): [Tie(*tie) for tie in line["ties"]] for line in read_json_lines(self.ties)}
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{self.ties} holds a line that is no step's near ties ({error}); remove the file"
            ) from error

    def write_ties(self, ties: Mapping[int, Iterable[Tie]]) -> None:
        """Put these near ties in place of all there are."""
        make_folder(self.folder)
        lines = ({"step": step, "ties": [list(tie) for tie in each]} for step, each in ties.items())
        replace_file(self.ties, "".join(map(_format, lines)))

    def clear(self) -> None:
        """Remove every checkpoint, all metrics and ties."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        self.metrics.unlink(missing_ok=True)
        self.ties.unlink(missing_ok=True)
        remove_leftovers(self.folder)

    def _append(self, path: Path, line: Mapping[str, Any]) -> None:
        try:
            make_folder(self.folder)
            with path.open("a", encoding="utf-8") as file:
                file.write(_format(line))
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}; make room, then go on with --resume") from error

    def _pointer(self, which: str) -> str | None:
        """The name in `latest` or `best`, None if there is no such file."""
        path = self.checkpoints / which
        if not path.exists():
            return None
        try:
            name = read_at_most(path, _LONGEST_NAME).decode("utf-8", errors="replace").strip()
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path} cannot be read ({error}), expected a checkpoint's name; there are: {self._names()}"
            ) from error
        if not _STEP.fullmatch(name):
            raise CheckpointError(f"{path} holds {name!r}, expected a checkpoint's name; there are: {self._names()}")
        return name

    def _read(self, name: str) -> Checkpoint:
        """The checkpoint of this name, which says the same step."""
        checkpoint = read_checkpoint(self.checkpoints / name, self.specification)
        step = checkpoint.state.get("step")
        if type(step) is not int or step != _step_of(name):
            raise CheckpointError(f"{self.checkpoints / name}: its {STATE} says step {step!r:.40}; {ADVICE}")
        return checkpoint

    def _is_whole(self, name: str) -> bool:
        try:
            self._read(name)
        except CheckpointError:
            return False
        return True

    def checkpoint_names(self) -> list[str]:
        """The names of the checkpoints in the folder, oldest first."""
        if not self.checkpoints.is_dir():
            return []
        return sorted((path.name for path in self.checkpoints.iterdir() if _STEP.fullmatch(path.name)), key=_step_of)

    def _newest(self) -> list[str]:
        """The names of the newest checkpoints that are kept, up to the latest."""
        steps = self.steps() or 0
        return [name for name in self.checkpoint_names() if _step_of(name) <= steps][-self.keep :]

    def _best(self) -> list[str]:
        """The names of the best checkpoints that are kept, the best first; of equals the earlier."""
        merits = {name: self._merit(name) for name in self.checkpoint_names()}
        validated = [name for name, merit in merits.items() if merit is not None]
        return sorted(validated, key=lambda name: (merits[name], _step_of(name)))[: self.keep_best]

    def _merit(self, name: str) -> float | None:
        """What a checkpoint's validation was worth, low is good; None where there was none or it cannot be read."""
        try:
            merit = parse_json(read_at_most(self.checkpoints / name / STATE, LARGEST_STATE)).get("merit")
        except (OSError, ValueError, AttributeError):
            return None
        return merit if isinstance(merit, float) and math.isfinite(merit) else None

    def _average(self, which: str) -> Checkpoint:
        """The mean of the weights of several checkpoints."""
        names = self._newest() if which == "average-latest" else self._best()
        if not names:
            raise CheckpointError(f"no checkpoint in {self.checkpoints} to average: train the run until a validation")
        read = [self._read(name).parameters for name in names]
        mean = {
            name: np.mean([each[name] for each in read], axis=0, dtype=np.float64).astype(values.dtype)
            for name, values in read[0].items()
        }
        return Checkpoint(mean, state={"averaged": names})

    def _names(self) -> str:
        return ", ".join(self.checkpoint_names()) or "none yet"

    def _prune(self) -> None:
        """Remove all but the newest, the latest and the best checkpoints, and what killed processes left behind."""
        held = self.checkpoint_names()
        kept = {*self._newest(), *self._best(), self._pointer("latest"), self._pointer("best")}
        for folder in (self.checkpoints, self.folder):
            remove_leftovers(folder)
        self._remove(set(held) - kept)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            # Renamed first: a checkpoint that is half removed must not have a checkpoint's name.
            removed = self.checkpoints / f".{name}.removed"
            (self.checkpoints / name).rename(removed)
            shutil.rmtree(removed, ignore_errors=True)


def _step_of(name: str) -> int:
    return int(name.removeprefix("step-"))


def _format(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
