"""What every page that is one file has: a policy that forbids all requests, data as JSON, and the glyphs it needs."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from diptych.pages.report.font import font_address

FONT_FACE = '@font-face { font-family: "Diptych Hangul"; src: url("%s"); unicode-range: U+1100-11FF, U+3000-D7FF; }\n'


def policy(script: str, style: str) -> str:
    """The content-security policy: no request, and no script or style but these."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode() for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; font-src data:; "
        f"img-src data:; base-uri 'none'; form-action 'none'"
    )


def json_text(value: Any) -> str:
    """JSON that can stand inside a `<script>`: no text in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def font_face(text: str) -> str:
    """The style of a font with the Hangul of a text inside; "" where it has none."""
    address = font_address(text)
    return FONT_FACE % address if address else ""
