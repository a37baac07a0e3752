"""Values and comments as TOML writes them, and TOML read within limits."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from typing import Any

LARGEST = 1 << 20
"""How many bytes a config may have."""
DOTS = 100
"""How many dots a line may have outside of its texts: the parser's time grows with the square of a key's parts."""
_TEXT = re.compile(r"""\"(?:[^"\\]|\\.)*"|'[^']*'""")


def parse_toml(data: bytes) -> dict[str, Any]:
    """The values in a TOML text.

    Raises:
        ValueError: it is not UTF-8, not TOML, too large, or nests too deep.
    """
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > DOTS and _TEXT.sub("", line).count(".") > DOTS:
            raise ValueError(f"line {number} has a key of more than {DOTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it nests too deep") from None


def to_toml(value: Any) -> str:
    """A TOML value; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {to_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def comment(text: str, width: int = 120) -> list[str]:
    """A text as lines of a comment."""
    return textwrap.wrap(text, width, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
