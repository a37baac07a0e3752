"""JSON that a stranger may have written: parsed within limits, or refused as a ValueError, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

CONTAINERS = 160 << 20
"""What all objects and lists of a text may take in memory; strings and numbers take a few times their own length."""
COST = {"{": 240, "[": 96}
"""What each character that begins one costs, in bytes."""


def parse_json(data: bytes | str) -> Any:
    """The value of a JSON text; bytes are UTF-8.

    Raises:
        ValueError: it is not JSON, holds NaN or an infinity, nests too deep, or would fill the memory.
    """
    begun = {each: data.count(each) if isinstance(data, str) else data.count(each.encode()) for each in COST}
    if sum(count * COST[each] for each, count in begun.items()) > CONTAINERS:
        raise ValueError("it holds more lists and objects than can be read safely")
    try:
        return json.loads(data, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it nests too deep") from None


def read_at_most(path: Path, size: int) -> bytes:
    """The bytes of a file that has at most so many; its size is looked at before anything is read.

    Raises:
        ValueError: it has more.
        OSError: it cannot be read, or is no file.
    """
    found = path.stat().st_size
    if found > size:
        raise ValueError(f"it has {found:,} bytes, expected at most {size:,}")
    with path.open("rb") as file:
        data = file.read(size + 1)
    if len(data) > size:  # a device has no size, and may have no end
        raise ValueError(f"it has more than {size:,} bytes")
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
