"""Settings searched for: each combination of values, or as many draws from ranges as there is time for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diptych.config.assignment import read_value
from diptych.errors import UsageError
from diptych.experiments.plan import Variation, settings
from diptych.randomness import generator

LARGEST_GRID = 1000


@dataclass(frozen=True)
class Range:
    """A key and two numbers between which its value is drawn.

    Attributes:
        key: of a config.
        low, high: the ends, both possible.
        whole: whether only whole numbers are drawn.
        decades: whether each power of ten is as likely as another, as where the ends are 10 times apart or more.
    """

    key: str
    low: float
    high: float
    whole: bool
    decades: bool

    @classmethod
    def read(cls, text: str) -> Range | None:
        """What KEY=LOW..HIGH says; None where it says something else.

        Raises:
            UsageError: the ends are no numbers, or the wrong way round.
        """
        key, _, ends = text.partition("=")
        low, dots, high = ends.partition("..")
        if not dots or "," in ends:
            return None
        numbers = [read_value(end.strip()) for end in (low, high)]
        if not all(isinstance(each, (int, float)) and math.isfinite(each) for each in numbers):
            raise UsageError(f"{text!r}: a range goes from a number to a number, for instance 1e-4..1e-2")
        first, last = map(float, numbers)
        if not first < last:
            raise UsageError(f"{text!r}: a range goes from its lower end to its higher one")
        whole = all(isinstance(each, int) for each in numbers)
        return cls(key.strip(), first, last, whole, decades=first > 0 and last >= 10 * first)

    def at(self, share: float) -> str:
        """The value so far along the range, 0 <= share < 1, as a config writes it; three digits that count."""
        if self.whole:
            return str(self._whole(share))
        if self.decades:
            return f"{self.low * (self.high / self.low) ** share:.3g}"
        return f"{self.low + (self.high - self.low) * share:.3g}"

    def _whole(self, share: float) -> int:
        if not self.decades:
            return int(self.low + share * (self.high - self.low + 1))
        return min(int(self.high), int(self.low * ((self.high + 1) / self.low) ** share))


def drawn(varied: Sequence[Variation | Range], trials: int, seed: int) -> list[dict[str, str]]:
    """The settings of a search: every combination where `trials` is 0, else so many drawn at random, none twice.

    More of them begin with the same ones, so a search that is given more trials goes on.

    Raises:
        UsageError: a range is to be combined, a key is varied twice, or there are too many combinations.
    """
    keys = [each.key for each in varied]
    if len(set(keys)) < len(keys):
        raise UsageError(f"{next(key for key in keys if keys.count(key) > 1)} is varied twice: give it once")
    values = [each for each in varied if isinstance(each, Variation)]
    count = math.prod(len(each.values) for each in values)
    if not trials:
        if len(values) < len(varied):
            first = next(each.key for each in varied if isinstance(each, Range))
            raise UsageError(f"{first} is a range, of which values are drawn: say how many with --trials")
        if count > LARGEST_GRID:
            raise UsageError(f"that makes {count:,} trainings: draw some of them with --trials")
        return settings(values)
    most = trials if len(values) < len(varied) else min(trials, count)
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for number in itertools.count():
        one = {each.key: _draw(each, float(generator(seed, "search", each.key, number).random())) for each in varied}
        found.setdefault(tuple(one.values()), one)
        if len(found) == most or number > 1000 * trials:
            return list(found.values())
    raise AssertionError("counting does not end")


def _draw(varied: Variation | Range, share: float) -> str:
    if isinstance(varied, Range):
        return varied.at(share)
    return varied.values[int(share * len(varied.values))]


def ranked(results: Sequence[dict[str, Any]], by: str, higher_is_better: bool) -> list[tuple[float, dict[str, Any]]]:
    """Results with what they are ranked by, the best first: a measure, or "loss" for the best validation loss."""

    def merit(result: dict[str, Any]) -> float:
        value = result["training"]["best_validation_loss"] if by == "loss" else result["scores"][by]["score"]
        return math.nan if value is None else float(value)

    def place(pair: tuple[float, dict[str, Any]]) -> float:
        worst = math.inf
        return worst if math.isnan(pair[0]) else -pair[0] if higher_is_better else pair[0]

    return sorted(((merit(each), each) for each in results), key=place)
