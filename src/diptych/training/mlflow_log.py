"""A training's numbers, attention maps and config, as MLflow keeps them (`mlflow ui --backend-store-uri DIR`)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diptych.config import RunConfig
from diptych.storage.place import make_folder, replace_file
from diptych.training.tensorboard import SCALARS

MLFLOW = "mlflow"
"""The folder in a run's folder."""
NAMED = "run-{backend}.txt"
"""In it: which of MLflow's runs is a backend's, to go on with."""
LONGEST = 500
"""How many characters of a value MLflow takes."""


class MlflowLog:
    """Tells MLflow of one backend of a run; an earlier training of it is gone on with."""

    def __init__(self, folder: Path, config: RunConfig, backend: str) -> None:
        """Begin, or go on.

        Args:
            folder: of the run.
            config: of the run.
            backend: which trains.
        """
        from mlflow import MlflowClient

        own = folder / MLFLOW
        make_folder(own)
        self._client = MlflowClient(tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or own.as_uri())
        named = own / NAMED.format(backend=backend)
        if named.is_file():
            self._run = named.read_text("utf-8").strip()
        else:
            experiment = self._client.get_experiment_by_name(config.name)
            number = experiment.experiment_id if experiment else self._client.create_experiment(config.name)
            self._run = self._client.create_run(number, run_name=f"{config.name} {backend}").info.run_id
            for key, value in _flat(config.model_dump(mode="json")):
                self._client.log_param(self._run, key, str(value)[:LONGEST])
            replace_file(named, f"{self._run}\n")

    def scalars(self, line: Mapping[str, Any]) -> None:
        """Take what a line of metrics.jsonl tells of its step."""
        for tag in SCALARS:
            if tag in line:
                self._client.log_metric(self._run, tag, float(line[tag]), step=line["step"])

    def picture(self, tag: str, png: bytes, step: int) -> None:
        """Take a PNG."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"step-{step:08d}.png"
            path.write_bytes(png)
            self._client.log_artifact(self._run, str(path), tag)

    def flush(self) -> None:
        """Make what was taken readable: it is."""

    def close(self) -> None:
        """Write what is left."""
        self._client.set_terminated(self._run)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
