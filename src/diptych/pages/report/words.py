"""Which words of two translations differ, from each other and from the reference."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Words:
    """Words that stand together and share their marks.

    Attributes:
        text: the words, with the spaces between them.
        differs: whether the other translation has something else here.
        wrong: whether the reference has.
    """

    text: str
    differs: bool = False
    wrong: bool = False


def mark_words(text: str, other: str, reference: str) -> list[Words]:
    """A translation in pieces, marked where it is not what the other translation, or the reference, has."""
    words = text.split()
    marks = zip(_unmatched(words, other.split()), _unmatched(words, reference.split()), strict=True)
    grouped = groupby(zip(words, marks, strict=True), key=lambda pair: pair[1])
    return [Words(" ".join(word for word, _ in group), *mark) for mark, group in grouped]


def _unmatched(words: Sequence[str], others: Sequence[str]) -> list[bool]:
    """For each word whether it has no partner among the others, in their order."""
    unmatched = [True] * len(words)
    for block in difflib.SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks():
        unmatched[block.a : block.a + block.size] = [False] * block.size
    return unmatched
