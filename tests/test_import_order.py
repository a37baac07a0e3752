"""Both frameworks in one process, whichever comes first: both compute, and the process ends in good order."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations

import pytest

from diptych.panel import BACKENDS

PROGRAM = """
import sys
from diptych import panel as panels

def product_in_tensorflow():
    import tensorflow
    return tensorflow.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy()

def product_in_pytorch():
    import torch
    return (torch.tensor([[1.0, 2.0]]) @ torch.tensor([[3.0], [4.0]])).numpy()

for name in sys.argv[1:]:
    panels.load(name, threads=1, device="cpu")
products = {"tensorflow": product_in_tensorflow, "pytorch": product_in_pytorch}
print(*(f"{name} {products[name]().item()}" for name in (*sys.argv[1:], *reversed(sys.argv[1:]))))
"""


def load_both(order):
    """Load the panels in this order, then compute in each of them, twice."""
    command = [sys.executable, "-c", PROGRAM, *order]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=180, check=False)


def check(finished, order):
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == " ".join(f"{name} 11.0" for name in (*order, *reversed(order)))


# The other order is that of tests/panels/conftest.py, in which many tests compute.
@pytest.mark.parametrize("order", [BACKENDS, pytest.param(BACKENDS[::-1], marks=pytest.mark.slow)], ids=" then ".join)
def test_both_load_and_compute_in_either_order(both_frameworks, order):
    check(load_both(order), order)


@pytest.mark.slow
@pytest.mark.parametrize("order", list(permutations(BACKENDS)), ids=" then ".join)
def test_both_load_and_compute_in_either_order_every_time(both_frameworks, order):
    for _ in range(20):
        check(load_both(order), order)
