"""The numbered equations of docs/equations.md, one by one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
# Beside this file where Diptych is installed from a wheel, in docs/ where it is a checkout.
PLACES = (HERE / "equations.md", HERE.parents[2] / "docs" / "equations.md")


@cache
def equations() -> dict[int, str]:
    """Each equation's text by its number; none where the document is not there."""
    document = next((place for place in PLACES if place.is_file()), None)
    if document is None:
        return {}
    formulas: dict[int, str] = {}
    for section in document.read_text(encoding="utf-8").split("\n## "):
        parts = re.split(r"^(?=\*\*\(\d+\) )", section, flags=re.MULTILINE)
        for part in parts[1:]:
            number = re.match(r"\*\*\((\d+)\)", part)
            assert number
            formulas[int(number[1])] = part.replace("**", "").rstrip()
    return formulas
