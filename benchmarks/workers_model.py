"""How long a step takes with N workers: a model of few numbers, fitted to what `workers_speed.py` has measured here.

    time(N) = products / N x slowest + fixed + exchange(N)

products: what the whole batch's layers take on one core. slowest: how much larger than their mean the largest shard is.
fixed: what each worker does whatever its share: the loops' many small operations, the gradient as whole numbers, the
optimizer. exchange: 2 (N - 1) / N times 4 bytes a weight, over the network, for one shard each in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

SHARDED = {"1 thread": 1, "1 thread, 2 shards": 2, "1 thread, 4 shards": 4, "1 thread, 8 shards": 8}
"""One process of one thread, by how many shards it computes."""
BYTES = 4
"""Of a weight's gradient."""


@dataclass(frozen=True)
class Model:
    """What a step's time is made of, in seconds.

    Attributes:
        alone: a step of one worker of one core, in one shard.
        products: of the whole batch.
        fixed: of each worker.
        slowest: by number of shards.
        weights: how many there are.
    """

    alone: float
    products: float
    fixed: float
    slowest: Mapping[int, float]
    weights: int

    def seconds(self, workers: int, exchange: float, batches: float = 1.0) -> float:
        """A step of so many batches, shared by so many workers of one core."""
        known = max((shards for shards in self.slowest if shards <= workers), default=1)
        return self.products * batches / workers * self.slowest.get(known, 1.0) + self.fixed + exchange

    def times(self, workers: int, gigabits: float, batches: float) -> float:
        """How many times as many tokens a second as one worker's so many workers train."""
        return batches * self.alone / self.seconds(workers, exchange_of(self.weights, workers, gigabits), batches)


def fitted(note: Mapping[str, Any]) -> Model:
    """The model of what was measured: of k shards in one process, and of two workers.

    A shard of one process costs `slope` and its share of the products; the optimizer's part of what is left is what
    makes the step of two workers as long as it is.
    """
    took = {way: median(each) for way, each in note["seconds"].items()}
    slowest = {int(shards): value for shards, value in note["slowest"].items()}
    ways = [(shards, took[way]) for way, shards in SHARDED.items() if shards > 1]
    slope, rest = np.polyfit(*zip(*ways, strict=True), 1).tolist()
    share = slowest[2] / 2
    once = (took["2 workers"] - rest * share - slope - median(note["exchange"])) / (1.0 - share)
    once = min(max(once, 0.0), rest)
    return Model(took["1 thread"], rest - once, fixed=slope + once, slowest=slowest, weights=note["weights"])


def exchange_of(weights: float, workers: int, gigabits: float) -> float:
    """Seconds in which a worker sends each other one its part and gets its sum, by their bytes alone."""
    return 2 * (workers - 1) / workers * BYTES * weights * 8 / (gigabits * 1e9)
