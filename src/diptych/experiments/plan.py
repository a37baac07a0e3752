"""Which trainings a batch consists of: one for each combination of the values that are varied."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from diptych.config import RunConfig
from diptych.config.assignment import read_value
from diptych.errors import UsageError

SEED, BACKEND, VARIABLE = "training.seed", "backend", "variables."


@dataclass(frozen=True)
class Variation:
    """A key and the values that it takes in turn.

    Attributes:
        key: of a config, "training.seed", or of its variables, "variables.language".
        values: as texts, as the command line gives them.
    """

    key: str
    values: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Variation:
        """What KEY=VALUE,VALUE says. A comma inside brackets or quotes parts nothing.

        Raises:
            UsageError: it is nothing like that, or says a value twice.
        """
        key, equals, values = text.partition("=")
        between = re.findall(r'((?:\[[^\]]*\]|"[^"]*"|[^,\[\]"])*),', f"{values},")
        parts = tuple(each.strip() for each in between)
        if not equals or not key.strip() or not all(parts) or not parts:
            raise UsageError(f"{text!r} varies nothing: give KEY=VALUE,VALUE, for instance training.seed=1,2,3")
        if len(set(parts)) < len(parts):
            raise UsageError(f"{text!r} names a value twice: leave one out")
        return cls(key.strip(), parts)


@dataclass(frozen=True)
class Planned:
    """One training that is to be done, and what it is evaluated as.

    Attributes:
        name: of its folder, made of what is varied.
        settings: by key, the value of everything that is varied, in order.
        config: all there is to know about it.
        backend: which framework trains it.
    """

    name: str
    settings: dict[str, str]
    config: RunConfig
    backend: str

    @property
    def group(self) -> tuple[tuple[str, str], ...]:
        """What is varied, but for the seed: trainings of one group are averaged."""
        return tuple((key, value) for key, value in self.settings.items() if key != SEED)

    @property
    def task(self) -> tuple[tuple[str, str], ...]:
        """Which of the config's variables it has: models of one task may translate together."""
        return tuple((key, value) for key, value in self.settings.items() if key.startswith(VARIABLE))


def settings(variations: Sequence[Variation]) -> list[dict[str, str]]:
    """Every combination of values, the last key's changing first.

    Raises:
        UsageError: a key is varied twice.
    """
    keys = [each.key for each in variations]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise UsageError(f"{twice[0]} is varied twice: give all its values at once, with commas between them")
    return [dict(zip(keys, values)) for values in itertools.product(*(each.values for each in variations))]


def folder_name(recipe: str, settings: dict[str, str]) -> str:
    """A name for one of them: "g2p-kor-seed1-pytorch". A text stands for itself, a number follows its key's last part.

    A value of the config's variables that is part of the recipe's own name already is left out.
    """
    parts = [recipe]
    for key, value in settings.items():
        last = key.rpartition(".")[2]
        text = value if isinstance(read_value(value), str) else f"{last}{value}"
        text = re.sub(r"[^\w.+-]+", "-", text).strip("-")
        if not (key.startswith(VARIABLE) and text in recipe.split("-")):
            parts.append(text)
    return "-".join(parts)
