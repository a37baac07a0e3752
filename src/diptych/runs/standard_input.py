"""A training text that comes on standard input: it is read once, and the run keeps it, as RUN/pairs/train.tsv."""

from __future__ import annotations

import atexit
import hashlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.config import DataConfig, RunConfig, parse_config
from diptych.config.reading import is_standard_input
from diptych.errors import ConfigError, RunError, UsageError
from diptych.runs.given_pairs import PAIRS
from diptych.storage.place import replace_file


def check_one_text(data: DataConfig) -> None:
    """Refuse a config that asks for more than its training text on standard input.

    Raises:
        ConfigError: it does.
    """
    others = [path for paths in (data.validation, data.test, *(each.paths for each in data.additional))
              for path in paths]  # fmt: skip
    if any(map(is_standard_input, others)) or (len(data.train) > 1 and any(map(is_standard_input, data.train))):
        raise ConfigError('standard input is one text, that of train = ["-"]: give the others as files')


@dataclass(frozen=True)
class StandardInput:
    """What came on standard input, as the file that keeps it.

    Attributes:
        name: of the file; its ending says what it is.
        content: its bytes.
    """

    name: str
    content: bytes

    @classmethod
    def of(cls, config: RunConfig) -> StandardInput | None:
        """What is on standard input, where a config's training text is that; else None.

        Raises:
            ConfigError: another part is to come from there, too.
            UsageError: nobody has given it anything.
        """
        data = config.data
        check_one_text(data)
        if not data.train or not is_standard_input(data.train[0]):
            return None
        return cls(_file_name(data.train[0]), _read(data.train[0]))

    def config(self, values: Mapping[str, Any], folder: Path) -> RunConfig:
        """The config, with the text as a run in this folder keeps it."""
        data = dict(values.get("data", {})) | {"train": [str(folder / PAIRS / self.name)]}
        return parse_config(dict(values) | {"data": data})

    def write(self, folder: Path) -> None:
        """Write the text into a run's folder."""
        replace_file(folder / PAIRS / self.name, self.content)

    def check_same(self, folder: Path) -> None:
        """Refuse a run that keeps another text.

        Raises:
            RunError: it does.
        """
        path = folder / PAIRS / self.name
        if not path.is_file() or path.read_bytes() != self.content:
            raise RunError(f"{folder} is a run of another text than is on standard input: give another --run folder")

    def hash(self) -> str:
        """Names this text."""
        return hashlib.sha256(self.content).hexdigest()


def as_file(path: Path) -> Path:
    """The path, or that of a file with what is on standard input, which goes when this process does."""
    if not is_standard_input(str(path)):
        return path
    with tempfile.NamedTemporaryFile(
        prefix="standard-input-", suffix=f"-{_file_name(str(path))}", delete=False
    ) as file:
        file.write(_read(str(path)))
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return Path(file.name)


def _file_name(path: str) -> str:
    return f"train{path.removeprefix('-') or '.tsv'}"


def _read(path: str) -> bytes:
    if sys.stdin.isatty():
        raise UsageError(f'"{path}" is standard input, and nothing is there: diptych ... < pairs.tsv')
    return sys.stdin.buffer.read()
