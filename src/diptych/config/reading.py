"""A config from TOML, or from values, with every problem said in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from diptych.config.data import AdditionalText
from diptych.config.run import RunConfig
from diptych.config.search import SearchConfig
from diptych.config.toml import LARGEST, parse_toml
from diptych.errors import ConfigError

VARIABLES = "variables"
"""The table of a config file whose values stand for {NAME} in its texts; a run's own config holds what came of it."""
LONGEST_VARIABLE = 200
STARTS = ("start_from", "source_embeddings", "target_embeddings")
"""The paths in [training]."""
PROBLEMS = 10
"""So many are told."""


def read_config(path: str | Path, variables: Mapping[str, str] | None = None) -> RunConfig:
    """Read and validate a TOML config; its data paths become absolute.

    A table [variables] names texts, language = "kor" for instance; {language} then stands for it in every text of the
    config.

    Args:
        path: of the file.
        variables: values by name, instead of the file's own.

    Raises:
        ConfigError: the file is missing, is not TOML, holds an unknown key or an impossible value, or no such variable.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(f"no config at {path}: give the path of a TOML file, for instance configs/phrasebook.toml")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot read the config {path}: {reason}; give the path of a TOML file") from error
    return config_of_bytes(data, path, variables)


def config_of_bytes(data: bytes, path: Path, variables: Mapping[str, str] | None = None) -> RunConfig:
    """The config in the bytes of a TOML file; `path` says where it is, and what its paths are relative to.

    Raises:
        ConfigError: they are no TOML, or hold an unknown key or an impossible value, or no such variable.
    """
    try:
        values = parse_toml(data)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    values = _filled(values, variables or {}, path)
    training = values.get("training")
    if isinstance(training, dict):
        for key in STARTS:
            if isinstance(training.get(key), str) and training[key]:
                training[key] = str(path.parent / training[key])
    if isinstance(values.get("data"), dict):
        values["data"] = from_folder(values["data"], path.parent)
    return parse_config(values, origin=str(path))


def _filled(values: dict[str, Any], given: Mapping[str, str], path: Path) -> dict[str, Any]:
    """The config without its variables, each written where its name stands in braces.

    Raises:
        ConfigError: one is not a text, is named but not there, or is given but not the file's.
    """
    own = values.pop(VARIABLES, {})
    if not isinstance(own, dict) or not all(isinstance(each, str) for each in own.values()):
        raise ConfigError(
            f'{path}: [{VARIABLES}] holds texts by name, for instance language = "kor"; got {_shown(own)}'
        )
    longest = max(map(len, own.values()), default=0)
    if longest > LONGEST_VARIABLE:
        raise ConfigError(f"{path}: one of its [{VARIABLES}] has {longest:,} characters, at most {LONGEST_VARIABLE:,}")
    choices = f"its [{VARIABLES}] are: {', '.join(own)}" if own else f"it has no [{VARIABLES}]"
    for name in given.keys() - own.keys():
        raise ConfigError(f"{path} has no variable {name!r}: {choices}")
    known = own | dict(given)

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\{([A-Za-z_]\w*)\}", replaced, value)
        if isinstance(value, list):
            return [fill(each) for each in value]
        return {name: fill(each) for name, each in value.items()} if isinstance(value, dict) else value

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise ConfigError(f"{path} names {match[0]}, but {choices}: add it there")
        return str(known[match[1]])

    filled: dict[str, Any] = fill(values) if own else values
    return filled


def is_standard_input(path: str) -> bool:
    """Whether a path stands for standard input: "-", or "-.csv" where that is a CSV."""
    return re.fullmatch(r"-(\.\w+)?", path) is not None


def from_folder(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values of [data] with paths that are relative to a folder made into whole ones; what is no path stays."""

    def whole(paths: Any) -> Any:
        return [str(folder / path) if isinstance(path, str) and not is_standard_input(path) else path for path in paths]

    section = dict(data)
    for part in ("train", "validation", "test"):
        if isinstance(section.get(part), list):
            section[part] = whole(section[part])
    if isinstance(section.get("additional"), list):
        section["additional"] = [
            each | {"paths": whole(each["paths"])}
            if isinstance(each, dict) and isinstance(each.get("paths"), list)
            else each
            for each in section["additional"]
        ]
    return section


def parse_config(values: dict[str, Any], origin: str = "config") -> RunConfig:
    """Validate a nested dictionary as a `RunConfig`; `origin` names it in the error.

    Raises:
        ConfigError: an unknown key (the choices are listed) or a value that does not fit.
    """
    try:
        # Through JSON, so that lists become tuples while numbers and booleans stay strict.
        return RunConfig.model_validate_json(json.dumps(values))
    except (TypeError, RecursionError) as error:
        raise ConfigError(f"{origin}: a config holds strings, numbers, booleans and lists only ({error})") from error
    except ValidationError as error:
        problems = [_explain(problem) for problem in error.errors()[:PROBLEMS]]
        more = f"; and {error.error_count() - PROBLEMS} more" if error.error_count() > PROBLEMS else ""
        raise ConfigError(f"{origin}: " + "; ".join(problems) + more) from None


def changed_search(search: SearchConfig, changes: Mapping[str, Any], origin: str) -> SearchConfig:
    """A search section with other values for some of its keys; `origin` names it in the error.

    Raises:
        ConfigError: a key is unknown (the choices are listed) or a value does not fit.
    """
    try:
        return SearchConfig.model_validate(search.model_dump() | dict(changes)) if changes else search
    except ValidationError as error:
        problems = [_explain({**problem, "loc": ("search", *problem["loc"])}) for problem in error.errors()]
        raise ConfigError(f"{origin}: " + "; ".join(problems)) from None


def _explain(problem: Any) -> str:
    """One validation problem as: where, what was received, what was expected."""
    location = [str(part) for part in problem["loc"]]
    where = ".".join(location)
    if problem["type"] == "extra_forbidden":
        section: type[BaseModel] = RunConfig
        for part in location[:-1]:
            if part == "additional":
                section = AdditionalText
                break
            section = section.model_fields[part].annotation  # type: ignore[assignment]
        choices = ", ".join(section.model_fields)
        table = f" in [{'.'.join(location[:-1])}]" if location[:-1] else ""
        return f"unknown key {location[-1]!r}{table}; choose among: {choices}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"[{where}] {message}" if where else message
    return f"{where} = {_shown(problem['input'])}: {message[0].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    """A value for a message, its beginning if it is long; a whole number may have more digits than Python writes."""
    try:
        return f"{value!r:.200}"
    except ValueError:
        return "a number of thousands of digits"
