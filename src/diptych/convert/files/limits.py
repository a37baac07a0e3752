"""How much a reader takes from a file before it refuses: no length that stands in a file is believed.

Chosen so that the worst file is refused within two seconds and 200 MB, and the largest honest one passes: a model of
50,000 tensors, whose weights may have any size, for they are read one by one when they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diptych.convert.files.printable import shown
from diptych.errors import RefusalError

TENSORS = 50_000
RANK = 32
AXIS = 1 << 40  # longest axis
NAME = 4096  # characters
HEADER = 16 << 20  # bytes of names, shapes, configuration: of what is not weights
TEXT_NUMBERS = 64 << 20  # bytes of a JSON file whose weights are text
EXPANDED = 16 << 20  # bytes that something compressed may become, whatever its size was
EXPANSION = 100  # times its size, beyond that
NOTES = 1000  # remarks about one file
DEPTH = 100  # of what lies within one another

# What each character of a JSON text may at worst cost in memory once it is parsed, in bytes.
JSON_COST = {b"{": 240, b"[": 96, b",": 72, b'"': 32}
JSON_MEMORY = 160 << 20


def parse_json(
    path: Path,
    what: str,
    data: bytes,
    limit: int = HEADER,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """The value of a JSON text.

    Args:
        path: the file, for messages.
        what: which part of it, for messages.
        data: the text.
        limit: of its bytes.
        pairs: makes an object of its pairs; by default a dict, in which the last of equal keys wins.

    Raises:
        RefusalError: it is too large, too deep, or not JSON.
    """
    if len(data) > limit or sum(data.count(character) * cost for character, cost in JSON_COST.items()) > JSON_MEMORY:
        raise RefusalError(f"{path}: {what} has {len(data):,} bytes of JSON, more than can be read safely")
    try:
        return json.loads(data, object_pairs_hook=pairs)
    except RecursionError:
        raise RefusalError(f"{path}: {what} nests too deep to be a model's") from None
    except ValueError as error:
        raise RefusalError(f"{path}: {what} is not valid JSON: {shown(error)}; write the file again") from error


def check_count(path: Path, count: int, what: str = "tensors") -> None:
    """Refuse a file that claims to have too many tensors, layers or nodes.

    Raises:
        RefusalError: there are more than any model has.
    """
    if count > TENSORS:
        raise RefusalError(f"{path} claims to hold {count:,} {what}; the most that are read is {TENSORS:,}")
