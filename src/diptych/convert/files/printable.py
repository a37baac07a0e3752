"""Text from a stranger's file, fit to be printed."""

from __future__ import annotations

from typing import Any

LONGEST = 120


def shown(text: Any, longest: int = LONGEST) -> str:
    r"""A name or a value as it can be printed: whatever could move a terminal's cursor becomes `\x1b`, the middle of a
    long one "..."."""
    raw = str(text)
    raw = raw if len(raw) <= longest else f"{raw[: longest - longest // 3 - 3]}...{raw[-(longest // 3) :]}"
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in raw
    )
