"""What is told of a training while it runs, beside metrics.jsonl: to TensorBoard, MLflow or Weights & Biases.

Each is given the same: what a line of metrics.jsonl says, and attention maps. None needs an account or a network:
MLflow writes into RUN/mlflow and Weights & Biases, offline, into RUN/wandb, unless the environment says otherwise
(MLFLOW_TRACKING_URI, WANDB_MODE).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from diptych.errors import UsageError
from diptych.runs.run import Run
from diptych.training import tensorboard
from diptych.training.mlflow_log import MlflowLog
from diptych.training.wandb_log import WandbLog

WATCHERS = ("tensorboard", "mlflow", "wandb")


class Watcher(Protocol):
    """Takes what training tells."""

    def scalars(self, line: Mapping[str, Any]) -> None:
        """Take what a line of metrics.jsonl tells of its step."""

    def picture(self, tag: str, png: bytes, step: int) -> None:
        """Take a PNG."""

    def flush(self) -> None:
        """Make what was taken readable."""

    def close(self) -> None:
        """Write what is left."""


def check_watchers(names: Sequence[str]) -> None:
    """Refuse before anything is done.

    Raises:
        UsageError: there is no such watcher, or its package is not installed.
    """
    for name in names:
        if name not in WATCHERS:
            raise UsageError(f"unknown watcher {name!r}; choose among: {', '.join(WATCHERS)}")
        if name == "tensorboard":
            tensorboard.check_installed()
        elif importlib.util.find_spec(name) is None:
            raise UsageError(f"--watch {name} needs a package that is not here: pip install 'diptych[{name}]'")


def open_watcher(name: str, run: Run, backend: str, step: int) -> Watcher:
    """A watcher of one backend of a run that is trained from this step on; see `check_watchers`."""
    if name == "mlflow":
        return MlflowLog(run.folder, run.config, backend)
    if name == "wandb":
        return WandbLog(run.folder, run.config, backend)
    return tensorboard.TensorBoardLog(run.folder / tensorboard.TENSORBOARD / backend, step)
