"""How large a difference is: one number from what the two programs of an entry found.

A result is a number, a string, or a list or dictionary of results. Each rule takes TensorFlow's and PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Leaf = int | float | str | bool | None


def largest_absolute_difference(first: Any, second: Any) -> float:
    """The largest |a - b| over two results of the same shape."""
    return max(abs(a - b) for a, b in _pairs(first, second))


def largest_relative_difference(first: Any, second: Any) -> float:
    """The largest |a - b| over the larger of the two, 0 where both are 0."""
    return max(abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0 for a, b in _pairs(first, second))


def largest_ratio(first: Any, second: Any) -> float:
    """The largest ratio of two numbers that belong together, the larger over the smaller, so at least 1."""
    ratios = []
    for a, b in _pairs(first, second):
        small, large = sorted((abs(a), abs(b)))
        if small == 0.0 and large > 0.0:
            raise ValueError("the ratio of a number to zero is not a number")
        ratios.append(large / small if large else 1.0)
    return max(ratios)


def values_that_differ(first: Any, second: Any) -> float:
    """How many places hold different values, or a value in one result only."""
    a, b = dict(_leaves(first)), dict(_leaves(second))
    return float(sum(place not in a or place not in b or a[place] != b[place] for place in a.keys() | b.keys()))


RULES: dict[str, Callable[[Any, Any], float]] = {
    "largest absolute difference": largest_absolute_difference,
    "largest relative difference": largest_relative_difference,
    "largest ratio": largest_ratio,
    "values that differ": values_that_differ,
}


def effect(rule: str, tensorflow: Any, pytorch: Any) -> float:
    """The distance of two results by the named rule.

    Raises:
        ValueError: the results do not have the same shape, are not numbers where numbers are compared, or hold none.
    """
    size = RULES[rule](tensorflow, pytorch)
    if not math.isfinite(size):
        raise ValueError(f"the {rule} of the two results is {size}")
    return size


def agree(rule: str, size: float, tolerance: float) -> bool:
    """Whether an effect of this size means that the two results are the same: 0, or 1 for a ratio."""
    return size - (1.0 if rule == "largest ratio" else 0.0) <= tolerance


def furthest(tensorflow: Any, pytorch: Any, most: int = 3) -> list[tuple[str, Leaf, Leaf]]:
    """Where two results are furthest apart, and both values there; words and missing values come first."""
    a, b = dict(_leaves(tensorflow)), dict(_leaves(pytorch))
    places = [(place, a.get(place), b.get(place)) for place in dict.fromkeys([*a, *b]) if a.get(place) != b.get(place)]

    def gap(place: tuple[str, Leaf, Leaf]) -> float:
        _, first, second = place
        numbers = isinstance(first, int | float) and isinstance(second, int | float)
        return abs(float(first) - float(second)) if numbers else math.inf  # type: ignore[arg-type]

    return sorted(places, key=gap, reverse=True)[:most]


def _leaves(result: Any, place: str = "") -> list[tuple[str, Leaf]]:
    """Every value of a result with its place in it."""
    if isinstance(result, dict):
        return [leaf for key, value in result.items() for leaf in _leaves(value, f"{place}.{key}".lstrip("."))]
    if isinstance(result, list):
        return [leaf for index, value in enumerate(result) for leaf in _leaves(value, f"{place}[{index}]")]
    return [(place, result)]


def _pairs(first: Any, second: Any) -> list[tuple[float, float]]:
    """The numbers of two results of the same shape, side by side."""
    a, b = dict(_leaves(first)), dict(_leaves(second))
    if a.keys() != b.keys():
        raise ValueError(f"the results do not have the same shape: {_sketch(a.keys())} and {_sketch(b.keys())}")
    if not a:
        raise ValueError("the results are empty")
    numbers = []
    for place in a:
        values = (a[place], b[place])
        if not all(isinstance(value, int | float) for value in values):
            raise ValueError(f"expected two numbers at {place or 'the top'}, got {values[0]!r} and {values[1]!r}")
        numbers.append((float(values[0]), float(values[1])))  # type: ignore[arg-type]
    return numbers


def _sketch(places: Any) -> str:
    """How many places there are, and the last, which shows the size of each axis."""
    known = list(places)
    return f"{len(known)} values, the last at {known[-1] or 'the top'}" if known else "no value"
