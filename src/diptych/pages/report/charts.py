"""What a chart on the page is made of: axes that turn numbers into places, with round numbers beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST = 1e-300
"""A logarithmic axis begins no lower, where quotients would overflow."""


@dataclass(frozen=True)
class Tick:
    """A number beside an axis: where it stands, and how it is written."""

    place: float
    text: str


@dataclass(frozen=True)
class Axis:
    """Numbers from `low` to `high`, drawn from `start` to `end` (in CSS pixels), linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a number is drawn; what is beyond an end, at that end."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, count: int = 5) -> list[Tick]:
        """About so many round numbers."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            every = max(1, math.ceil((last - first) / count))
            exponents = range(first, last + 1, every)
            return [Tick(self.place(10.0**exponent), _power(exponent)) for exponent in exponents]
        step = _round_step((self.high - self.low) / count)
        numbers = [step * i for i in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]
        digits = max(0, -math.floor(math.log10(step)))
        return [Tick(self.place(number), f"{number:,.{digits}f}") for number in numbers]


def axis(values: Sequence[float], start: float, end: float, logarithmic: bool = False) -> Axis:
    """An axis on which all these numbers have a place, with a little room.

    A logarithmic one leaves out what is not above zero, and is linear where nothing is left.
    """
    shown = [value for value in values if math.isfinite(value) and (value > 0.0 or not logarithmic)]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    if logarithmic and shown:
        low, high = max(low, SMALLEST) / 1.5, high * 1.5
        if high < 100.0 * low:  # at least two powers of ten
            low, high = low / 5.0, high * 5.0
        return Axis(low, high, start=start, end=end, logarithmic=True)
    room = 0.04 * (high - low) or 0.5 * abs(high) or 1.0
    return Axis(low - room, high + room, start=start, end=end)


def path(points: Sequence[tuple[float, float]]) -> str:
    """The `d` of a line through these places; where a number is missing (NaN) the line is broken."""
    parts, pen = [], "M"
    for x, y in points:
        if math.isnan(y):
            pen = "M"
            continue
        parts.append(f"{pen}{x:g} {y:g}")
        pen = "L"
    return "".join(parts)


def thin(values: Sequence[float], most: int = 800) -> list[tuple[int, float]]:
    """(place from 0, value) of as many values as can be seen: of each stretch the lowest and the highest."""
    stretch = math.ceil(2 * len(values) / most)
    if stretch <= 2:
        return list(enumerate(values))
    kept: list[tuple[int, float]] = []
    for start in range(0, len(values), stretch):
        places = [i for i in range(start, min(start + stretch, len(values))) if not math.isnan(values[i])]
        if places:
            ends = {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
            kept += [(i, values[i]) for i in sorted(ends)]
    return kept


def _round_step(step: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))


def _power(exponent: int) -> str:
    """A power of ten as it is written."""
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return {0: "1", 1: "10", -1: "0.1"}.get(exponent, f"10{digits}")
