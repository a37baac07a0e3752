"""Products by themselves: each timed product is the one that was asked for, and each repetition is made."""

from __future__ import annotations

import numpy as np
import pytest

PARTS = ("forward", "input gradient", "weight gradient")
SHAPES = [((3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((1, 7), (7, 1))]


def operands(*shapes):
    random = np.random.default_rng(1)
    return [random.uniform(-1.0, 1.0, shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
def test_the_product_is_the_one_that_was_asked_for(bench, part, shapes, precision):
    left, right = operands(*shapes)
    allowed = 0.05 if precision == "bfloat16" else 1e-6
    timer = bench.panels["pytorch"].ProductTimer(part, left, right, precision)
    for kernel in timer._kernels():
        result = bench.array(kernel())
        assert np.abs(result - left @ right).max() < allowed
        assert {"float32": np.float32, "float64": np.float64, "bfloat16": np.float32}[precision] == result.dtype
    timer = bench.panels["tensorflow"].ProductTimer(part, left, right, precision)
    for repetitions in (1, 3):
        number = timer._repeat(repetitions)
        assert number.dtype.name == precision
        assert abs(float(number) - (left @ right).flat[0]) < allowed


@pytest.mark.parametrize("name", ["tensorflow", "pytorch"])
@pytest.mark.parametrize("part", PARTS)
def test_every_repetition_is_made(bench, name, part):
    timer = bench.panels[name].ProductTimer(part, *operands((128, 256), (256, 512)), "float32")
    timer.seconds(1)
    once = min(timer.seconds(1) for _ in range(3))
    assert timer.seconds(100) > once / 20  # made once, it would be a hundredth
    larger = bench.panels[name].ProductTimer(part, *operands((512, 1024), (1024, 1024)), "float32")
    assert larger.seconds(3) > 3 * timer.seconds(30)  # of 32 times the arithmetic
