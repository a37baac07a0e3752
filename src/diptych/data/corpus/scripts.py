"""Which writing system a text is in, letter by letter, from the names that Unicode gives its characters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

WIDTHS = ("FULLWIDTH ", "HALFWIDTH ")
NAMES = {"CJK": "Han", "IDEOGRAPHIC": "Han", "KATAKANA-HIRAGANA": "Katakana", "MICRO": "Greek"}
"""Scripts whose characters are not named after them."""


@cache
def script_of(character: str) -> str:
    """The script of a letter, for instance "Latin" or "Hangul", "other" if it has none; "" for what is no letter."""
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "")
    for width in WIDTHS:
        name = name.removeprefix(width)
    first = name.partition(" ")[0]
    return NAMES.get(first, first.capitalize() if first.isalpha() else "other")


def count_scripts(text: str) -> Counter[str]:
    """How many letters of each script a text has."""
    counts = Counter(map(script_of, text))
    counts.pop("", None)
    return counts


def share_of_scripts(text: str, scripts: Iterable[str]) -> float:
    """Which part of a text's letters belongs to these scripts; 1 if it has no letter."""
    counts = count_scripts(text)
    letters = counts.total()
    return sum(counts[script] for script in scripts) / letters if letters else 1.0
