"""The learning rate's laws."""

from itertools import pairwise

import pytest

from diptych.config import TrainingConfig
from diptych.training.learning_rate import learning_rate

SCHEDULES = ["constant", "linear", "cosine", "inverse_square_root"]


def rates(total: int, **values) -> list[float]:
    config = TrainingConfig(learning_rate=0.5, **values)
    return [learning_rate(config, step, total) for step in range(total)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warm_up_rises_evenly_to_the_full_rate(schedule: str) -> None:
    found = rates(20, schedule=schedule, warmup_steps=5)
    assert found[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert max(found) == pytest.approx(0.5)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "inverse_square_root"])
def test_after_the_warm_up_it_only_falls(schedule: str) -> None:
    found = rates(50, schedule=schedule, warmup_steps=3)
    assert all(later < earlier for earlier, later in pairwise(found[4:]))


def test_constant_stays() -> None:
    assert set(rates(30, schedule="constant")) == {0.5}


@pytest.mark.parametrize(("schedule", "half"), [("linear", 0.25), ("cosine", 0.25)])
def test_halfway_it_is_half_and_the_end_is_near_zero(schedule: str, half: float) -> None:
    found = rates(100, schedule=schedule)
    assert found[0] == 0.5
    assert found[50] == pytest.approx(half)
    assert 0.0 < found[-1] < 0.01


def test_inverse_square_root_quarters_the_steps_and_halves_the_rate() -> None:
    found = rates(100, schedule="inverse_square_root", warmup_steps=10)
    assert found[39] == pytest.approx(found[9] / 2)
