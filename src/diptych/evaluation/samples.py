"""What a look at a few translations shows, and a count shows of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 8
"""Of fewer translations nobody is surprised that they are the same."""


@dataclass(frozen=True)
class Sample:
    """One sentence, what was made of it, and what was expected."""

    source: str
    said: str
    reference: str


def samples(
    sources: Sequence[str], texts: Sequence[str], references: Sequence[str], count: int = 5
) -> tuple[Sample, ...]:
    """So many of them, from the first on, as far from each other as can be."""
    step = max(1, len(sources) // count)
    rows = range(0, len(sources), step)[:count]
    return tuple(Sample(sources[row], texts[row], references[row]) for row in rows)


def sameness(sources: Sequence[str], texts: Sequence[str]) -> tuple[str, int] | None:
    """The translation that most of different sources got, and how many of them; None where there is no such one.

    A model that was trained too briefly, or badly, says the same to everything.
    """
    by_source = dict(zip(sources, texts, strict=True))
    if len(by_source) < FEWEST:
        return None
    [(text, times)] = Counter(by_source.values()).most_common(1)
    return (text, times) if 2 * times > len(by_source) else None
