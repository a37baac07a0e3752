"""The paths in a run's config: those of its own files move with its folder, all others stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diptych.config import DataConfig, RunConfig
from diptych.config.reading import STARTS, is_standard_input
from diptych.errors import DataError
from diptych.visible import visible

PARTS = ("train", "validation", "test")


def absolute(config: RunConfig) -> RunConfig:
    """A config whose paths are absolute.

    Raises:
        DataError: a path has bytes that are no UTF-8, which a config cannot hold.
    """

    def whole(path: str) -> Path:
        if any("\ud800" <= letter <= "\udfff" for letter in path):
            raise DataError(f"the name of {visible(path)} is no UTF-8, and no config can hold it: give it another one")
        return Path(path) if is_standard_input(path) else Path(path).resolve()

    changes: dict[str, Any] = {"data": _changed(config.data, whole)}
    starts = {key: str(Path(base).resolve()) for key in STARTS if (base := getattr(config.training, key))}
    if starts:
        changes["training"] = config.training.model_copy(update=starts)
    return config.model_copy(update=changes)


def moved(config: RunConfig, old: Path, new: Path) -> RunConfig:
    """A config whose paths in the one folder are in the other instead."""

    def move(path: str) -> Path:
        return new / Path(path).relative_to(old) if Path(path).is_relative_to(old) else Path(path)

    return config.model_copy(update={"data": _changed(config.data, move)})


def portable(config: DataConfig, folder: Path) -> DataConfig:
    """A config whose paths in this folder are relative to it: it says the same wherever the folder is."""
    return _changed(config, lambda path: own_path(path, folder) or Path(path))


def own_path(path: str, folder: Path) -> Path | None:
    """A path in this folder, relative to it; None where it is elsewhere."""
    return Path(path).relative_to(folder) if Path(path).is_relative_to(folder) else None


def _changed(config: DataConfig, change: Callable[[str], Path]) -> DataConfig:
    def all_of(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(change(path).as_posix() if not change(path).is_absolute() else str(change(path)) for path in paths)

    parts: dict[str, Any] = {part: all_of(getattr(config, part)) for part in PARTS}
    parts["additional"] = tuple(text.model_copy(update={"paths": all_of(text.paths)}) for text in config.additional)
    return config.model_copy(update=parts)
