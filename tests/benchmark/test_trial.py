"""Trials: warmed up, taken in turn, and stopped when enough was measured."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from diptych.benchmark.arithmetic import Product
from diptych.benchmark.trial import evenly_spaced, measure, middle

PRODUCT = Product("output layer", "forward", 1, 2, 3, 4, 5)
PANEL = SimpleNamespace(ProductTimer=lambda *_: SimpleNamespace(seconds=lambda repetitions: 48e-9))


class Sleeper:
    """A trial whose blocks take so long, written down in a log that all trials share."""

    def __init__(self, name, log, seconds=0.0, products=(PRODUCT,)):
        self.name, self.log, self.seconds, self.found = name, log, seconds, list(products)
        self.counts = {"steps": 0}

    def prepare(self):
        self.log.append(f"prepare {self.name}")

    def block(self):
        self.log.append(self.name)
        self.counts["steps"] += 1
        time.sleep(0.002)
        return self.seconds

    def products(self):
        return self.found

    def typical(self):
        return [PRODUCT]

    def details(self):
        return {"blocks done": self.counts["steps"]}


def test_all_are_warmed_up_before_any_is_measured_and_then_they_take_turns():
    log = []
    found = measure(PANEL, {name: Sleeper(name, log) for name in "ab"}, "float32", blocks=3, seconds=1.0)
    assert log == ["prepare a", "a", "prepare b", "b", "a", "b", "a", "b", "a", "b"]
    for values in found.values():
        assert [block["steps"] for block in values["blocks"]] == [2, 3, 4]  # the first was the warm-up
        assert 0.0 < values["first_seconds"] < values["first_seconds"] + 0.002 <= values["warm_up_seconds"]
        assert values["peak_rss_bytes"] > 1_000_000
        assert values["blocks done"] == 4


@pytest.mark.parametrize(("each", "limit", "expected"), [(1.0, 3.5, 4), (1.0, 3.0, 3), (9.0, 1.0, 2), (0.1, 9.0, 6)])
def test_enough_is_enough_but_never_less_than_two_blocks(each, limit, expected):
    found = measure(PANEL, {"a": Sleeper("a", [], each)}, "float32", blocks=6, seconds=limit)
    assert len(found["a"]["blocks"]) == expected


def test_the_ceiling_is_that_of_a_whole_block():
    found = measure(PANEL, {"a": Sleeper("a", [], products=[PRODUCT] * 7)}, "float32", blocks=2, seconds=0.0)
    ceiling = found["a"]["ceiling"]
    assert ceiling["seconds"] == pytest.approx(7 * 5 * 48e-9)
    assert ceiling["operations"] == 7 * PRODUCT.operations == 7 * 5 * 2 * 2 * 3 * 4
    assert [each["name"] for each in ceiling["products"]] == ["output layer"]


def test_a_trial_whose_products_are_not_known_has_no_ceiling():
    found = measure(PANEL, {"a": Sleeper("a", [], products=[])}, "float32", blocks=2, seconds=0.0)
    assert found["a"]["ceiling"] is None


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [5]), (2, [2, 7]), (5, [1, 3, 5, 7, 9]), (10, [*range(10)]), (99, [*range(10)])]
)
def test_evenly_spaced(count, expected):
    assert evenly_spaced(range(10), count) == expected


def test_middle_is_a_size_that_is_there():
    assert middle([(1, 10), (5, 30), (2, 20)]) == [2, 20]
    assert middle([(1, 10), (4, 30)]) == [1, 10]
