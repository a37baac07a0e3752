"""From what a command line names, a config or a run, to an open run."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diptych.config import RunConfig, TrainingConfig, read_config
from diptych.config.assignment import assign, read_value
from diptych.config.reading import VARIABLES
from diptych.config.toml import LARGEST, parse_toml
from diptych.errors import ConfigError, RunError, UsageError
from diptych.exported.folder import is_export
from diptych.panel import BACKENDS
from diptych.runs.creation import is_taken
from diptych.runs.editing import edit
from diptych.runs.paths import absolute
from diptych.runs.progress import QuietReporter, Reporter
from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run


def open_or_create(
    what: Path,
    folder: Path | None,
    backend: str,
    overwrite: bool,
    changes: Changes,
    reporter: Reporter | None = None,
    resume: bool = False,
) -> Run:
    """Open the run in a folder, or create (or open) the run of a config file.

    To resume is to go on, with whatever of an edited config can be obeyed, see `diptych.runs.editing`. To overwrite is
    to begin anew with this backend; a run of another config goes as a whole, and so does one in which no other backend
    has been trained, for its corpus may have changed.

    Raises:
        UsageError: options that belong to a config are given for a run, or a text where a config should be.
        ConfigError: the config cannot be read, or a value does not fit.
        RunError: the folder is no run, or a run of another config.
        DataError: the corpus cannot be read.
    """
    if what.is_dir():
        if is_export(what):
            raise UsageError(f"{what} is an export: make a run of it first, `diptych import {what} --run DIR`")
        refuse_for_run(what, Changes() if resume else changes, {"--run": folder})
        run = Run.open(what)
        return edit(run, changes.make(run.config), reporter or QuietReporter()) if changes.options() else run
    config = changes.read(what)
    folder = folder or default_folder(config)
    if resume and folder.is_dir() and is_taken(folder):
        return edit(Run.open(folder), absolute(config), reporter or QuietReporter())
    if overwrite and not any(_is_trained(folder, other) for other in BACKENDS if other != backend):
        return Run.create(config, folder, overwrite=True, reporter=reporter)
    try:
        return Run.create(config, folder, reporter=reporter)
    except RunError:
        if not overwrite:
            raise
        return Run.create(config, folder, overwrite=True, reporter=reporter)


def trainings(what: str) -> dict[str, tuple[TrainingRecord, TrainingConfig]]:
    """What FOLDER or FOLDER:BACKEND names: the record of each backend that has been trained there, and its config.

    Raises:
        UsageError: nothing has been trained there.
        RunError: the folder is no run.
    """
    folder, _, backend = what.rpartition(":")
    wanted = BACKENDS if backend not in BACKENDS else (backend,)
    run = Run.open(folder if backend in BACKENDS else what)
    trained = {name: (run.record(name), run.config.training) for name in wanted if run.record(name).metrics.is_file()}
    if not trained:
        raise UsageError(f"{what}: nothing has been trained there with {' or '.join(wanted)}; give a trained run")
    return trained


@dataclass(frozen=True)
class Changes:
    """What a command line says instead of a config.

    Attributes:
        assignments: the values of --set.
        seed, precision: of training; None where they are not given.
    """

    assignments: Sequence[str] | None = None
    seed: int | None = None
    precision: str | None = None

    def read(self, path: Path) -> RunConfig:
        """The config in a file with these values, those of its [variables] among them: `variables.language=kor`.

        Raises:
            UsageError: there is no such file or key, or the file is a text.
            ConfigError: it cannot be read, a value does not fit, or there is no such variable.
        """
        named = [match for each in self.assignments or () if (match := _variable(each))]
        config = named_config(path, {match["name"]: str(read_value(match["value"].strip())) for match in named})
        others = [each for each in self.assignments or () if not _variable(each)]
        return replace(self, assignments=others).make(config)

    def make(self, config: RunConfig) -> RunConfig:
        """The config with these values.

        Raises:
            UsageError: there is no such key.
            ConfigError: a value does not fit.
        """
        given = list(self.assignments or ())
        given += [f"training.seed={self.seed}"] if self.seed is not None else []
        given += [f"training.precision={self.precision}"] if self.precision is not None else []
        return assign(config, given) if given else config

    def options(self) -> list[str]:
        """The options that were given."""
        given = {"--set": self.assignments, "--seed": self.seed, "--precision": self.precision}
        return [name for name, value in given.items() if value is not None and value != []]


def refuse_for_run(run: Path, changes: Changes, others: Mapping[str, object] | None = None) -> None:
    """Refuse what belongs to a config where a run is given, which has its own.

    Args:
        run: the run's folder.
        changes: what was given instead of a config's values.
        others: more options by name; None or false where they were not given.

    Raises:
        UsageError: something was given.
    """
    given = [*(name for name, value in (others or {}).items() if value), *changes.options()]
    if given:
        raise UsageError(
            f"{run} is a run, which has its own config: leave out {' and '.join(given)}, or give a config file"
        )


def _variable(assignment: str) -> re.Match[str] | None:
    return re.fullmatch(rf"\s*{VARIABLES}\.(?P<name>\w+)\s*=(?P<value>.*)", assignment, re.DOTALL)


def named_config(path: Path, variables: Mapping[str, str] | None = None) -> RunConfig:
    """The config in a file, with these values of its variables.

    Raises:
        UsageError: there is no such file, or it is a text; how a config is made of that is said.
        ConfigError: it cannot be read.
    """
    if not path.exists():
        raise UsageError(f"there is no {path}: give a config, for instance configs/phrasebook.toml, or a run's folder")
    try:
        return read_config(path, variables)
    except ConfigError:
        if path.suffix == ".toml" or _is_toml(path):
            raise
        raise text_given([path]) from None


def _is_toml(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            parse_toml(file.read(LARGEST + 1))
    except (OSError, ValueError):
        return False
    return True


def text_given(paths: Sequence[Path]) -> UsageError:
    """What to say to somebody who gives a text where a config is needed: the line that makes one."""
    names = shlex.join(map(str, paths))
    made = shlex.quote(f"{paths[0].name.split('.')[0] or 'my'}.toml")
    return UsageError(
        f"{names} is a text, and training needs a config; this makes one and trains: "
        f"diptych config --minimal {names} > {made} && diptych train {made}"
    )


def default_folder(config: RunConfig) -> Path:
    """Where a run goes if nothing is said."""
    return Path("runs") / config.name


def _is_trained(folder: Path, backend: str) -> bool:
    return os.path.exists(folder / backend / "checkpoints" / "latest")
