"""Quality by the length of the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from diptych.evaluation.systems import measure

MOST_RANGES = 6


def quality_by_length(
    lengths: Sequence[int], texts: Mapping[str, Sequence[str]], references: Sequence[str], name: str = "chrf"
) -> list[dict[str, Any]]:
    """One measure for each range of source lengths, and its 95 % interval.

    Args:
        lengths: how many tokens each source has.
        texts: by system, the translations.
        references: one for each sentence.
        name: of the measure, one of `MEASURES`.

    Returns:
        For each range, from short to long, `shortest` and `longest` (both included), how many `sentences`, and under
        the measure's name, by system, the score and the low and high end of its interval.
    """
    ranges = []
    for shortest, longest in length_ranges(lengths):
        rows = [row for row, length in enumerate(lengths) if shortest <= length <= longest]
        inside = {system: [said[row] for row in rows] for system, said in texts.items()}
        measured = measure(inside, [references[row] for row in rows], [name])
        scores = {system: [each[name].score, each[name].low, each[name].high] for system, each in measured.items()}
        ranges.append({"shortest": shortest, "longest": longest, "sentences": len(rows), name: scores})
    return ranges


def length_ranges(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges of lengths, both ends included, with about as many sentences in each, and at most so many ranges."""
    enough = len(lengths) / MOST_RANGES
    ranges: list[tuple[int, int]] = []
    shortest, inside = None, 0
    counts = sorted(Counter(lengths).items())
    for length, count in counts:
        shortest, inside = length if shortest is None else shortest, inside + count
        if inside >= enough:
            ranges.append((shortest, length))
            shortest, inside = None, 0
    if shortest is not None:  # a rest: a range of its own if it is no mere handful
        if ranges and inside < enough / 2:
            shortest = ranges.pop()[0]
        ranges.append((shortest, counts[-1][0]))
    return ranges
