"""Single keys given instead of a config's own, as the command line does: `training.epochs=20`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.config.keys import TABLES, keys, near, sections
from diptych.config.reading import from_folder, parse_config
from diptych.config.run import RunConfig
from diptych.config.toml import parse_toml
from diptych.errors import UsageError


def assign(config: RunConfig, assignments: Sequence[str], folder: Path | None = None) -> RunConfig:
    """A config with other values, all given at once: only together do they have to fit.

    Args:
        config: where all other values come from.
        assignments: each KEY=VALUE, with the value as TOML writes it; a bare word is a text.
        folder: what relative paths are relative to; None: the current folder.

    Raises:
        UsageError: it is no KEY=VALUE, or there is no such key.
        ConfigError: a value does not fit.
    """
    values = config.model_dump(mode="json")
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise UsageError(f"{assignment!r} is no assignment: give KEY=VALUE, for instance training.epochs=20")
        section, _, last = name.rpartition(".")
        if name not in keys() or section in TABLES:
            raise UsageError(f"{assignment!r}: {_unknown(name)}")
        given: dict[str, Any] = {last: read_value(text)}
        if section == "data":
            given = from_folder(given, folder or Path.cwd())
        (values[section] if section else values).update(given)
    return parse_config(values, origin="--set")


def read_value(text: str) -> Any:
    """What a text says in TOML; the text itself where it is no TOML."""
    try:
        parsed = parse_toml(f"value = {text}".encode("utf-8", "surrogateescape"))
    except ValueError:
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text


def _unknown(name: str) -> str:
    if name in sections():
        return f"{name} is a section, not a key; `diptych config {name}` lists its keys"
    if name.rpartition(".")[0] in TABLES:
        table = name.rpartition(".")[0]
        return f'{table} is a list of tables: give it whole, for instance {table}=[{{paths = ["more.tsv"]}}]'
    return f"there is no key {name!r}; {near(name)}"
