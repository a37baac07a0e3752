"""The machine's own ceiling: each product by the fastest kernel at hand, whichever framework brings it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]
Fastest = dict[tuple[str, str], float]


def with_machine_ceilings(summaries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summaries with `percent_of_machine`: how long the work's products would take at best, as a share of its time.

    A framework's own ceiling is as low as its kernels are slow. This one is the same for all that did the same work.
    None where there is no ceiling.
    """
    fastest: dict[tuple[Any, ...], Fastest] = defaultdict(dict)
    for each in summaries:
        merge(fastest[_work(each)], _products(each))
    found = []
    for each in summaries:
        share = None
        if products := _products(each):
            share = each["percent_of_ceiling"] * seconds(products, fastest[_work(each)]) / seconds(products)
        found.append({**each, "percent_of_machine": share})
    return found


def merge(fastest: Fastest, products: Iterable[Values]) -> None:
    """Take in how fast some products were, where that is faster than what is known."""
    for product in products:
        key = product["name"], product["part"]
        fastest[key] = max(fastest.get(key, 0.0), product["gflops_per_second"])


def seconds(products: Iterable[Values], fastest: Fastest | None = None) -> float:
    """How long all of a block's products take at these speeds; None: at their own."""
    each_one = (
        each["block_operations"] / 1e9 / (fastest or {}).get((each["name"], each["part"]), each["gflops_per_second"])
        for each in products
    )
    return float(sum(each_one))


def peak(summaries: Sequence[Values]) -> dict[str, float]:
    """The GFLOP/s of the fastest product of all, by precision; of none where there is no ceiling."""
    found: dict[str, float] = {}
    for each in summaries:
        for product in _products(each):
            found[each["precision"]] = max(product["gflops_per_second"], found.get(each["precision"], 0.0))
    return found


def _work(summary: Values) -> tuple[Any, ...]:
    return tuple(summary[key] for key in ("task", "attention", "precision", "batch_size"))


def _products(summary: Values) -> Sequence[Values]:
    products: Sequence[Values] = summary["ceiling"]["products"] if summary["ceiling"] else ()
    return products
