"""A trial: work that is done again and again, always the same, and timed; runs in a panel's own process."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from diptych.benchmark.arithmetic import Product
from diptych.benchmark.ceiling import Ceiling
from diptych.config import Precision
from diptych.panel import TrainingPanel
from diptych.processes.machine import peak_memory

T = TypeVar("T")


class Trial(Protocol):
    """What is measured.

    Attributes:
        counts: how much there is of what, in each block: sentences, target tokens, steps.
    """

    counts: dict[str, int]

    def prepare(self) -> None:
        """Make what is made once, and do the first piece of work."""

    def block(self) -> float:
        """Do all the work once: the seconds that it took."""

    def products(self) -> list[Product]:
        """The matrix products of a block; none where they are not known."""

    def typical(self) -> list[Product]:
        """The products of a batch of middling size, in which each name and part of the block's comes once."""

    def details(self) -> dict[str, Any]:
        """What else is to be told, afterwards."""


def measure(
    panel: TrainingPanel | None, trials: Mapping[str, Trial], precision: Precision, blocks: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """Warm up, then time the trials' blocks in turn, and the bare matrix products of each between its blocks.

    Args:
        panel: the backend's; None where there is none that could time products: then there are no ceilings.
        trials: by name, in the order of the memory that they are expected to take: the peak is that of a process.
        precision: of the products.
        blocks: the most blocks of each trial.
        seconds: so much measured time is enough for a trial, after two blocks.

    Returns:
        By trial: `blocks`, each with what `timed_block` gives; `first_seconds` and `warm_up_seconds`, of the first
        piece of work alone and with the first block, what is compiled and chosen included; `peak_rss_bytes` up to then;
        `ceiling`: `seconds` and `operations` of a block's products, and those of a typical batch, or None; and the
        trial's details.
    """
    told: dict[str, dict[str, Any]] = {name: {"blocks": [], **warm_up(trial)} for name, trial in trials.items()}
    ceilings = {name: Ceiling(panel, trial.typical(), precision) for name, trial in trials.items()} if panel else {}
    for _ in range(blocks):
        for name, trial in trials.items():
            times = [block["seconds"] for block in told[name]["blocks"]]
            if len(times) < 2 or sum(times) < seconds:
                told[name]["blocks"].append(timed_block(trial))
                if name in ceilings:
                    ceilings[name].measure()
    for name, trial in trials.items():
        told[name] |= {"ceiling": told_ceiling(ceilings.get(name), trial.products()), **trial.details()}
    return told


def warm_up(trial: Trial) -> dict[str, Any]:
    """Prepare a trial and do a block: how long that took, and the memory that the process has needed up to then."""
    mark = time.perf_counter()
    trial.prepare()
    first_seconds = time.perf_counter() - mark
    trial.block()
    warm_up_seconds = time.perf_counter() - mark
    return {"first_seconds": first_seconds, "warm_up_seconds": warm_up_seconds, "peak_rss_bytes": peak_memory()}


def timed_block(trial: Trial) -> dict[str, Any]:
    """Do a block: what it counts, its seconds, and those of the processors in its code and in the system's."""
    before = os.times()
    seconds = trial.block()
    after = os.times()
    used = {"user_seconds": after.user - before.user, "system_seconds": after.system - before.system}
    return {**trial.counts, "seconds": seconds, **used}


def evenly_spaced(items: Sequence[T], count: int) -> list[T]:
    """So many of the items, evenly spaced; all where there are no more."""
    count = min(count, len(items))
    places = ((np.arange(count) + 0.5) * len(items) / count).astype(int)
    return [items[place] for place in places.tolist()]


def middle(sizes: Sequence[Sequence[int]]) -> list[int]:
    """The median of each column."""
    return [int(statistics.median_low(column)) for column in zip(*sizes, strict=True)]


def told_ceiling(ceiling: Ceiling | None, products: Sequence[Product]) -> dict[str, Any] | None:
    """How long a block's products take by themselves, and how fast each is; None where they are not known."""
    if ceiling is None or not products:
        return None
    operations: Counter[tuple[str, str]] = Counter()
    for product in products:
        operations[product.name, product.part] += product.operations
    return {
        "seconds": ceiling.seconds(products),
        "operations": sum(product.operations for product in products),
        "products": [each | {"block_operations": operations[each["name"], each["part"]]} for each in ceiling.to_json()],
    }
