"""Text from a stranger's file, fit to be printed."""

from __future__ import annotations

import reprlib
from typing import Any

LONGEST = 120

_short = reprlib.Repr()
_short.maxstring = _short.maxother = LONGEST


def shown(value: Any, longest: int = LONGEST) -> str:
    r"""A name or a value as it can be printed: whatever could move a terminal's cursor becomes `\x1b`, the middle of a
    long one "..."; of nested values the first few."""
    try:
        raw = value if isinstance(value, str) else _short.repr(value)
    except ValueError:  # a number of more digits than Python prints
        raw = f"a {type(value).__name__}"
    raw = raw if len(raw) <= longest else f"{raw[: longest - longest // 3 - 3]}...{raw[-(longest // 3) :]}"
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in raw
    )
