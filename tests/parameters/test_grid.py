"""Weights on a grid, and who decides near ties, without any framework."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.parameters.grid import NEAR, Tie, decide, on_grid


def test_weights_become_multiples_ties_to_even():
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999, 7.0]) / 2**20
    rounded = on_grid({"w": values}, 20)["w"]
    assert (rounded * 2**20).tolist() == [0.0, 2.0, 2.0, -0.0, -2.0, 0.0, 7.0]
    assert np.array_equal(on_grid({"w": rounded}, 20)["w"], rounded)


def test_float32_weights_are_rounded_in_float64():
    value = np.float32(0.1)
    rounded = on_grid({"w": np.array([value])}, 30)["w"]
    assert rounded.dtype == np.float64 and abs(rounded[0] - float(value)) <= 2.0**-31


def test_without_another_run_only_what_is_near_is_told():
    near, far = Tie("w", 3, True, 0.4 * NEAR), Tie("w", 4, False, 1.5 * NEAR)
    told = decide([near, far], None, 0.4 * NEAR, 17)
    assert told.ties == (near,) and told.checksum == 17
    assert told.turned == told.faults == () and told.gap is None


def test_a_decision_that_differs_is_turned_and_the_sum_with_it():
    told = decide([Tie("w", 3, True, 1e-16)], [Tie("w", 3, False, 2e-16)], 1e-16, 17)
    assert [tie.place for tie in told.turned] == [("w", 3)]
    assert told.checksum == 16 and told.faults == ()
    assert told.gap == pytest.approx(3e-16)
    other = decide([Tie("w", 3, False, 1e-16)], [Tie("w", 3, True, 2e-16)], 1e-16, 17)
    assert other.checksum == 18


def test_a_decision_that_is_the_same_is_kept():
    told = decide([Tie("w", 3, True, 5e-13)], [Tie("w", 3, True, 4e-13)], 5e-13, 17)
    assert told.turned == told.faults == () and told.checksum == 17
    assert told.gap == pytest.approx(1e-13)


@pytest.mark.parametrize(
    ("seen", "decided", "faults"),
    [
        ([], [Tie("w", 3, True, 1e-13)], 1),  # theirs is near, ours is not within twice as much
        ([Tie("w", 3, True, 1e-13)], [], 1),  # and the other way round
        ([Tie("w", 3, True, 0.9 * NEAR)], [], 0),  # a hair's breadth decides whether it was written down
        ([Tie("w", 3, True, 1.1 * NEAR)], [Tie("w", 3, True, 0.9 * NEAR)], 0),
        ([Tie("v", 3, True, 1e-13)], [Tie("w", 3, True, 1e-13)], 2),
    ],
)
def test_a_tie_of_one_run_alone_is_a_fault(seen, decided, faults):
    assert len(decide(seen, decided, 0.0, 0).faults) == faults
