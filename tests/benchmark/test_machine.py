"""The machine's ceiling: one for all that did the same work, that of the fastest kernels together."""

from __future__ import annotations

import pytest

from diptych.benchmark.machine import peak, with_machine_ceilings


def summary(backend, share, *speeds, **work):
    products = [
        {"name": name, "part": "forward", "gflops_per_second": speed, "block_operations": 6e9}
        for name, speed in zip(("keys", "output layer"), speeds, strict=False)
    ]
    given = {"task": "training", "attention": "dot", "precision": "float32", "batch_size": 64} | work
    ceiling = {"products": products} if products else None
    return {"backend": backend, "percent_of_ceiling": share, "ceiling": ceiling, **given}


def test_each_product_counts_by_the_fastest_kernel_of_all():
    """Alone 6 s for TensorFlow and 5 for PyTorch; the faster one of each product takes 3."""
    found = with_machine_ceilings([summary("tensorflow", 80.0, 6.0, 1.2), summary("pytorch", 60.0, 1.5, 6.0)])
    assert [each["percent_of_machine"] for each in found] == pytest.approx([80.0 * 2 / 6, 60.0 * 2 / 5])
    assert peak(found) == {"float32": 6.0}


def test_other_work_has_another_ceiling_and_work_without_one_has_none():
    alone, other, none = with_machine_ceilings(
        [summary("tensorflow", 80.0, 1.0), summary("pytorch", 60.0, 6.0, task="greedy"), summary("onnxruntime", None)]
    )
    assert (alone["percent_of_machine"], other["percent_of_machine"]) == pytest.approx((80.0, 60.0))
    assert none["percent_of_machine"] is None
    assert peak([alone, other, none]) == {"float32": 6.0}
