"""What the machine can do: a model's matrix products by themselves, timed in the process that the model runs in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from diptych.benchmark.arithmetic import Product
from diptych.config import Precision
from diptych.panel import TrainingPanel
from diptych.randomness import generator

# Each product is repeated for so long, at least once, whenever it is timed.
SECONDS = 0.003
MOST_REPETITIONS = 1024

Key = tuple[str, str]
Shape = tuple[str, int, int, int, int]


class Ceiling:
    """Times products again and again, and says how long any number of them takes at the median of these speeds.

    Products of one name and part may differ in size from batch to batch: their speed is measured at one size. Equal
    ones are timed once.
    """

    def __init__(self, panel: TrainingPanel, products: Iterable[Product], precision: Precision) -> None:
        """Make the operands and warm up; `products` are of a typical batch."""
        self._typical = list(products)
        self._shapes: dict[Key, Shape] = {(each.name, each.part): _shape(each) for each in self._typical}
        shapes = dict.fromkeys(self._shapes.values())
        self._timers = {shape: panel.ProductTimer(shape[0], *_operands(*shape[1:]), precision) for shape in shapes}
        self._repetitions = {shape: _repetitions(timer) for shape, timer in self._timers.items()}
        self._times: dict[Shape, list[float]] = {shape: [] for shape in shapes}

    def measure(self) -> None:
        """Time each product once more."""
        for shape, timer in self._timers.items():
            self._times[shape].append(timer.seconds(self._repetitions[shape]))

    def seconds(self, products: Sequence[Product]) -> float:
        """How long these products take together."""
        return sum(each.operations / self._speed(self._shapes[each.name, each.part]) for each in products)

    def to_json(self) -> list[dict[str, Any]]:
        """Each product of the typical batch with the median of its speeds."""
        timed = []
        for product in self._typical:
            shape = _shape(product)
            timed.append(asdict(product) | {"gflops_per_second": self._speed(shape) / 1e9})
        return timed

    def _speed(self, shape: Shape) -> float:
        """Operations per second of one product."""
        return 2 * math.prod(shape[1:]) / statistics.median(self._times[shape])


def _repetitions(timer: Any) -> int:
    """How often a product has to be repeated to be timed for long enough; warms up meanwhile.

    Found in steps, since a single repetition is timed with the call around it; and each from the shortest of three
    times, since on a busy machine one may take much too long.
    """
    timer.seconds(1)
    repetitions = 1
    while repetitions < MOST_REPETITIONS:
        seconds = repetitions * min(timer.seconds(repetitions) for _ in range(3))
        if seconds >= SECONDS:
            break
        repetitions = min(MOST_REPETITIONS, repetitions * max(2, min(10, math.ceil(SECONDS / seconds))))
    return repetitions


def _shape(product: Product) -> Shape:
    return product.part, product.batch, product.m, product.k, product.n


def _operands(batch: int, m: int, k: int, n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two operands in float32, (m, k) and (k, n), with a leading axis where there is a batch."""
    values = generator(0, "operands of products").random(4093, np.float32) - np.float32(
        0.5
    )  # a prime: no two rows alike
    leading = (batch,) if batch > 1 else ()
    return np.resize(values, (*leading, m, k)), np.resize(values, (*leading, k, n))
