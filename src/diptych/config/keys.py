"""Every key of a config with all there is to know about it, read from the sections' own fields."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from diptych.config.data import AdditionalText
from diptych.config.run import RunConfig
from diptych.config.section import LARGEST, Section
from diptych.config.toml import to_toml
from diptych.errors import UsageError

# Where a key holds tables of its own, what they are made of.
TABLES: dict[str, type[Section]] = {"data.additional": AdditionalText}


@dataclass(frozen=True)
class Key:
    """One key of a config.

    Attributes:
        name: with its section: "training.learning_rate".
        meaning: what it says, in a sentence or two.
        unit: what it counts or is measured in; "" if nothing.
        choices: the values it may have; none where they cannot be listed.
        allowed: the same in words: "1 or more", 'one of "gru", "lstm", "rnn"'; "" if any value of its type will do.
        default: as JSON has it; None where it may be left out, or must be given.
        example: a value where the default shows none; None if there is no need.
    """

    name: str
    meaning: str
    unit: str
    choices: tuple[Any, ...]
    allowed: str
    default: Any
    example: Any

    @property
    def section(self) -> str:
        """The table it stands in; "" for the top of a config."""
        return self.name.rpartition(".")[0]

    def explain(self, example: bool = True) -> str:
        """Its meaning, then in brackets unit, choices and, if wanted, an example."""
        shown = f"for instance {to_toml(self.example)}" if example and self.example is not None else ""
        details = "; ".join(part for part in (self.unit, self.allowed, shown) if part)
        return f"{self.meaning}{f' [{details}]' if details else ''}"


@cache
def keys() -> dict[str, Key]:
    """Every key by its name, in the order of a config."""
    return {key.name: key for key in _keys_of(RunConfig, "")}


@cache
def sections() -> dict[str, str]:
    """Each section's name and what it holds."""
    return {
        name: field.description or ""
        for name, field in RunConfig.model_fields.items()
        if isinstance(field.default, Section)
    }


def find_keys(name: str) -> list[Key]:
    """The keys that a user's word stands for: of a section all, of a bare name those in any section.

    Raises:
        UsageError: there is none; names that are near are told.
    """
    every = keys()
    if name in sections():
        return [key for key in every.values() if key.name.startswith(f"{name}.")]
    matching = [key for key in every.values() if name == key.name or key.name.startswith(f"{name}.")]
    matching = matching or [key for key in every.values() if name == key.name.rpartition(".")[2]]
    if not matching:
        raise UsageError(f"there is no key {name!r}; {near(name)}")
    return matching


def near(name: str) -> str:
    """What to say to somebody who gave a name that no key has."""
    every = keys()
    last = {key.rpartition(".")[2]: key for key in reversed(every)} | {key: key for key in every}
    wanted = [name, name.rpartition(".")[2]]
    close = [last[each] for word in wanted for each in difflib.get_close_matches(word.lower(), last, n=3)]
    advice = f"did you mean {', '.join(dict.fromkeys(close))}? " if close else ""
    return f"{advice}`diptych config` lists every key"


def _keys_of(section: type[Section], prefix: str) -> Iterator[Key]:
    schema = section.model_json_schema()["properties"]
    for name, field in section.model_fields.items():
        full = f"{prefix}{name}"
        if isinstance(field.default, Section):
            yield from _keys_of(type(field.default), f"{full}.")
            continue
        told = schema[name]
        kind = next((each for each in told.get("anyOf", ()) if each["type"] != "null"), told)
        kind = kind | {"items": kind.get("items", {})}
        choices = kind.get("enum") or kind["items"].get("enum") or ()
        yield Key(
            full,
            meaning=field.description or "",
            unit=told.get("unit", ""),
            choices=tuple(choices),
            allowed=_allowed(kind, tuple(choices)),
            default=told.get("default"),
            example=field.examples[0] if field.examples else None,
        )
        if full in TABLES:
            yield from _keys_of(TABLES[full], f"{full}.")


def _allowed(kind: dict[str, Any], choices: tuple[Any, ...]) -> str:
    """Which values a JSON schema allows, in words."""
    if choices:
        return f"{'some' if kind['type'] == 'array' else 'one'} of {', '.join(map(to_toml, choices))}"
    if kind["type"] not in ("integer", "number"):
        return ""
    low, high = kind.get("minimum"), kind.get("maximum")
    above, below = kind.get("exclusiveMinimum"), kind.get("exclusiveMaximum")
    high, below = (None if limit is not None and limit >= LARGEST else limit for limit in (high, below))  # any will do
    if kind["type"] == "integer" and above is not None:
        low, above = above + 1, None
    parts = [
        f"{low:g}" if high is not None and low is not None else f"{low:g} or more" if low is not None else "",
        f"above {above:g}" if above is not None else "",
        f"to {high:g}" if high is not None and low is not None else f"at most {high:g}" if high is not None else "",
        f"below {below:g}" if below is not None else "",
    ]
    joint = " " if low is not None and high is not None else ", "
    return joint.join(part for part in parts if part)
