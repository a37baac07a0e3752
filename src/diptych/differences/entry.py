"""One entry of the catalogue, read from its folder."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from diptych.differences.effects import RULES
from diptych.errors import ConfigError
from diptych.panel import BACKENDS

TOPICS = {
    "weights": "Weights and initial values",
    "sequences": "Sequences, padding and states",
    "layers": "Layers, masks and modes",
    "loss": "The loss",
    "optimizer": "Gradients and the optimizer",
    "randomness": "Random numbers and data order",
    "precision": "Precision",
    "tutorials": "Two slips of well-known tutorials",
}
"""The parts of the catalogue, in the order in which they are shown."""


@dataclass(frozen=True)
class Entry:
    """One difference: what it is, why, how Diptych bridges it, and how the two programs' results are compared.

    Attributes:
        name: the folder's name, by which the entry is asked for.
        title: one line.
        topic: one of `TOPICS`.
        what: what differs.
        why: where in the two frameworks it comes from, and what it does to a model.
        bridge: what Diptych does about it.
        compare: one of `effects.RULES`.
        unit: what the measured effect counts.
        folder: where the two programs are.
        tolerance: two results no further apart than this count as the same.
    """

    name: str
    title: str
    topic: str
    what: str
    why: str
    bridge: str
    compare: str
    unit: str
    folder: Path
    tolerance: float = 1e-12

    def program(self, framework: str) -> Path:
        """The path of this entry's program for one framework."""
        return self.folder / f"in_{framework}.py"

    def digest(self) -> str:
        """Twelve hexadecimal digits that change whenever what is measured, or how, does."""
        parts = [self.compare, repr(self.tolerance)]
        parts += [self.program(framework).read_text(encoding="utf-8") for framework in BACKENDS]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def read_entry(folder: Path) -> Entry:
    """Read and check one entry's folder.

    Raises:
        ConfigError: a key is missing or unknown, a choice does not exist, or a program is not there.
    """
    path = folder / "entry.toml"
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    allowed = {field.name for field in fields(Entry)} - {"name", "folder"}
    required = allowed - {"tolerance"}
    if unknown := sorted(set(values) - allowed):
        raise ConfigError(f"{path}: unknown keys {unknown}; choose among: {', '.join(sorted(allowed))}")
    if missing := sorted(required - set(values)):
        raise ConfigError(f"{path}: missing keys {missing}; write them all: {', '.join(sorted(required))}")
    for key, choices in (("topic", TOPICS), ("compare", RULES)):
        if values[key] not in choices:
            raise ConfigError(f"{path}: {key} = {values[key]!r} does not exist; choose among: {', '.join(choices)}")
    texts = {key: " ".join(value.split()) for key, value in values.items() if isinstance(value, str)}
    entry = Entry(name=folder.name, folder=folder, **(values | texts))
    for framework in BACKENDS:
        if not entry.program(framework).is_file():
            raise ConfigError(f"{folder}: no program in_{framework}.py; each entry has one for each framework")
    return entry
