"""From what a command line names, a config or a run, to an open run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from diptych.config import RunConfig, parse_config, read_config
from diptych.errors import RunError, UsageError
from diptych.panel import BACKENDS
from diptych.runs.progress import Reporter
from diptych.runs.run import Run


def open_or_create(
    what: Path,
    folder: Path | None,
    backend: str,
    overwrite: bool,
    seed: int | None,
    precision: str | None,
    reporter: Reporter | None = None,
) -> Run:
    """Open the run in a folder, or create (or open) the run of a config file.

    To overwrite is to begin anew with this backend; a run of another config goes as a whole, and so does one in which
    no other backend has been trained, for its corpus may have changed.

    Raises:
        UsageError: options that belong to a config are given for a run.
        ConfigError: the config cannot be read, or a value does not fit.
        RunError: the folder is no run, or a run of another config.
        DataError: the corpus cannot be read.
    """
    if what.is_dir():
        options = {"--run": folder, "--seed": seed, "--precision": precision}
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise UsageError(
                f"{what} is a run, which has its own config: leave out {' and '.join(given)}, or give a config file"
            )
        return Run.open(what)
    if not what.exists():
        raise UsageError(f"there is no {what}: give a config, for instance configs/phrasebook.toml, or a run's folder")
    config = configure(read_config(what), seed, precision)
    folder = folder or default_folder(config)
    if overwrite and not any(_is_trained(folder, other) for other in BACKENDS if other != backend):
        return Run.create(config, folder, overwrite=True, reporter=reporter)
    try:
        return Run.create(config, folder, reporter=reporter)
    except RunError:
        if not overwrite:
            raise
        return Run.create(config, folder, overwrite=True, reporter=reporter)


def configure(config: RunConfig, seed: int | None, precision: str | None) -> RunConfig:
    """A config with the values that the command line gives instead of its own.

    Raises:
        ConfigError: a value does not fit.
    """
    changes: dict[str, Any] = {"seed": seed, "precision": precision}
    values = config.model_dump(mode="json")
    values["training"] |= {key: value for key, value in changes.items() if value is not None}
    return parse_config(values, origin="command line")


def default_folder(config: RunConfig) -> Path:
    """Where a run goes if nothing is said."""
    return Path("runs") / config.name


def _is_trained(folder: Path, backend: str) -> bool:
    return os.path.exists(folder / backend / "checkpoints" / "latest")
