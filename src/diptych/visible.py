"""Text of strangers as a terminal may get it: what would move its cursor is shown, not obeyed."""

from __future__ import annotations

import re

_OBEYED = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""A text without control characters, but for line feeds and tabs: ESC becomes `\x1b`.

    Shown too are the marks that turn letters around, so that a line cannot pretend to say something else, and bytes
    that were no UTF-8.
    """
    return _OBEYED.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"
