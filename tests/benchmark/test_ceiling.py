"""The ceiling: products timed by themselves, and what they add up to."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from diptych.benchmark.arithmetic import Product, training_products
from diptych.benchmark.ceiling import MOST_REPETITIONS, Ceiling
from diptych.config import ModelConfig

CONFIG = ModelConfig(embedding_size=7, encoder_size=3, decoder_size=8)


class Machine:
    """A panel that multiplies so many numbers a second, the slower the more often it is asked."""

    def __init__(self, speed):
        self.speed, self.made, self.timed = speed, [], []
        self.ProductTimer = self.make

    def make(self, part, left, right, precision):
        assert left.shape[-1] == right.shape[-2] and left.shape[:-2] == right.shape[:-2]
        assert np.isfinite(left).all() and left.std() > 0.0
        operations = 2 * math.prod(left.shape) * right.shape[-1]
        self.made.append((part, left.shape, right.shape, precision))

        def seconds(repetitions):
            self.timed.append((part, left.shape, right.shape, repetitions))
            return operations / self.speed

        return SimpleNamespace(seconds=seconds)


@pytest.fixture
def products():
    return training_products(CONFIG, 13, 3, 5, 4, 10)


def test_the_ceiling_is_the_arithmetic_at_the_measured_speeds(products):
    machine = Machine(speed=1e6)
    ceiling = Ceiling(machine, products, "float32")
    ceiling.measure()
    total = sum(product.operations for product in products)
    assert ceiling.seconds(products) == pytest.approx(total / 1e6)
    # Batches of other sizes have the same products, and take time as they have arithmetic.
    others = training_products(CONFIG, 13, 6, 9, 2, 11)
    assert ceiling.seconds(others) == pytest.approx(sum(product.operations for product in others) / 1e6)


def test_a_speed_is_the_median_of_its_times(products):
    machine = Machine(speed=1e6)
    ceiling = Ceiling(machine, products, "float32")
    for machine.speed in (1e3, 2e6, 2e6, 9e6, 2e6):
        ceiling.measure()
    assert ceiling.seconds(products) == pytest.approx(sum(product.operations for product in products) / 2e6)
    assert [each["gflops_per_second"] for each in ceiling.to_json()] == [pytest.approx(2e-3)] * len(products)


def test_equal_products_are_timed_once_and_each_long_enough(products):
    machine = Machine(speed=1e9)
    ceiling = Ceiling(machine, products, "bfloat16")
    assert len(machine.made) == len(set(machine.made)) < len(products)
    assert {precision for *_, precision in machine.made} == {"bfloat16"}
    machine.timed.clear()
    ceiling.measure()
    assert len(machine.timed) == len(machine.made)
    for _, left, right, repetitions in machine.timed:
        seconds = repetitions * 2 * math.prod(left) * right[-1] / 1e9
        assert repetitions == MOST_REPETITIONS or 0.003 <= seconds < 0.006


def test_one_slow_call_does_not_decide_how_often_a_product_is_repeated():
    times = iter([9.0, 9.0, 1e-4, 9.0, *[1e-5] * 99])  # the warm-up, then three, of which one was not disturbed
    asked = []

    def seconds(repetitions):
        asked.append(repetitions)
        return next(times)

    machine = SimpleNamespace(ProductTimer=lambda *_: SimpleNamespace(seconds=seconds))
    ceiling = Ceiling(machine, [Product("x", "forward", 1, 2, 2, 2, 1)], "float32")
    ceiling.measure()
    assert asked[:5] == [1, 1, 1, 1, 10]
    assert asked[-1] >= 300


def test_what_was_timed_is_told(products):
    ceiling = Ceiling(Machine(speed=1e9), products, "float32")
    ceiling.measure()
    told = ceiling.to_json()
    assert [Product(**{key: each[key] for key in Product.__dataclass_fields__}) for each in told] == products
