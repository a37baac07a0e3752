"""A run made of an export: its config, its tokenizers, and its weights as the checkpoint that training goes on from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import RunConfig, TrainingConfig
from diptych.config.assignment import assign
from diptych.errors import ConfigError, UsageError
from diptych.export.exporting import no_place
from diptych.exported.folder import is_export, read_certificate, read_parameters
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import Checkpoint
from diptych.parameters.grid import on_grid
from diptych.processes.environment import environment
from diptych.runs.checksums import CONFIG, SIDES, write_checksums
from diptych.runs.creation import ENVIRONMENT, tokenizer_file
from diptych.runs.run import Run
from diptych.storage.place import folder_in_place, replace_file
from diptych.training.state import TrainingState

FIXED = (
    "model.",
    "data.source_tokenizer",
    "data.target_tokenizer",
    "data.source_tags",
    "data.lowercase_",
    "data.reverse_",
    "data.normalization",
)
"""What the weights and the vocabularies were made with."""


def import_export(out: Path, folder: Path | None = None, assignments: Sequence[str] = ()) -> Run:
    """Make a run of an export; `diptych train RUN --resume` trains it on, in either framework.

    Its moments are zeros and its steps are counted anew, for an export holds weights and no optimizer's state.

    Args:
        out: the export's folder.
        folder: the run's; None: runs/NAME.
        assignments: keys of the config that are other now, for instance `training.learning_rate=0.0005`.

    Raises:
        UsageError: the folder is no export, something is where the run should be, or there is no such key.
        ConfigError: a value does not fit, or is one that the weights were made with.
        CheckpointError: a file of the export was altered.
    """
    if not is_export(out):
        raise UsageError(f"{out} is no export: give a folder that `diptych export` made")
    exported = Run.open(out)
    parameters = read_parameters(exported.folder, exported.specification)
    config = _changed(exported.config, assignments)
    folder = (folder or Path("runs") / config.name).resolve()
    if folder.exists():
        raise UsageError(f"{folder} is there already: give another --run folder, or remove it")
    try:
        with folder_in_place(folder) as building:
            _write(exported, config, parameters=parameters, folder=building)
    except OSError as error:
        raise no_place(folder, error) from error
    return Run.open(folder)


def _changed(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    fixed = [each for each in assignments if each.strip().startswith(FIXED)]
    if fixed:
        raise ConfigError(
            f"{fixed[0]}: the export's weights and vocabularies were made with another value; leave it out"
        )
    return assign(config, assignments) if assignments else config


def _write(exported: Run, config: RunConfig, parameters: Mapping[str, npt.NDArray[Any]], folder: Path) -> None:
    (folder / "tokenizer").mkdir()
    for side in SIDES:
        replace_file(tokenizer_file(folder, side), getattr(exported, side).to_json())
    origin = {"imported": read_certificate(exported.folder).get("from")}
    replace_file(folder / ENVIRONMENT, json.dumps(environment() | origin, indent=2) + "\n")
    replace_file(folder / CONFIG, config.to_toml())
    write_checksums(folder)
    run = Run.open(folder)
    training = config.training
    kind = np.float64 if training.arithmetic == "float64" else np.float32
    weights: dict[str, npt.NDArray[Any]] = {name: np.asarray(value, kind) for name, value in parameters.items()}
    if training.precision == "exact":
        weights = dict(on_grid(weights, training.grid_exponent))
    for backend in BACKENDS:  # a framework goes on from its own: both are the same
        checkpoint = Checkpoint(weights, _moments(weights, training), TrainingState().on(backend).to_json())
        run.record(backend).write_checkpoint(checkpoint, best=True)


def _moments(weights: Mapping[str, npt.NDArray[Any]], training: TrainingConfig) -> dict[str, npt.NDArray[Any]]:
    """An optimizer's state before its first step."""
    kinds = {"adam": ["first_moment", "second_moment"], "adamw": ["first_moment", "second_moment"]}
    named = kinds.get(training.optimizer, ["velocity"] if training.momentum > 0.0 else [])
    state = {f"{kind}.{name}": np.zeros_like(value) for kind in named for name, value in weights.items()}
    average = {f"swapped.{name}": value for name, value in weights.items()} if training.ema_decay > 0.0 else {}
    return state | average
