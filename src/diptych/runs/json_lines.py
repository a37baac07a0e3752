"""Files of JSON objects, one a line, that training appends to: the metrics and the near ties."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diptych.errors import RunError
from diptych.storage.json_text import parse_json

NUMBERS = ("loss", "validation_loss", "gradient_norm", "seconds", "target_tokens")
"""What in a line of the metrics is a number, where it is there."""
LONGEST_LINE = 1 << 24


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of metrics.

    Raises:
        RunError: a line is not a JSON object with a step, or has no number where one should be.
    """
    lines = list(read_json_lines(path))
    for number, line in enumerate(lines, 1):
        numbers = [line[name] for name in NUMBERS if name in line]
        if type(line.get("step")) is not int or not all(map(_is_number, numbers)):
            raise RunError(f"{path}, line {number} tells of no step, or not in numbers; remove the line")
    return lines


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one a line; what follows the last line's end is no whole line.

    Raises:
        RunError: a line is too long, not JSON, or no object; or the file cannot be read.
    """
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                if len(line) == LONGEST_LINE:
                    raise RunError(f"{path}, line {number} has {LONGEST_LINE:,} bytes or more; remove the line")
                if line.endswith(b"\n"):
                    yield _parse(path, number, line)
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = parse_json(line)
    except ValueError as error:
        raise RunError(f"{path}, line {number} is not JSON: {error}; remove the line") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}, line {number} is no JSON object, got {value!r:.80}; remove the line")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
