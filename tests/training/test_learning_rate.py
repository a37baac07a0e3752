"""The learning rate's laws."""

import math
from itertools import pairwise
from typing import get_args

import pytest

from diptych.config import Schedule, TrainingConfig, parse_config
from diptych.errors import ConfigError
from diptych.training.learning_rate import learning_rate

SCHEDULES = [name for name in get_args(Schedule) if name != "one_cycle"]


def rates(total: int, **values) -> list[float]:
    config = TrainingConfig(learning_rate=0.5, **values)
    return [learning_rate(config, step, total) for step in range(total)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warm_up_rises_evenly_to_the_full_rate(schedule: str) -> None:
    found = rates(20, schedule=schedule, warmup_steps=5)
    assert found[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert max(found) == pytest.approx(0.5)


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_the_schedule_begins_where_the_warm_up_ends(schedule: str) -> None:
    """No jump: the last step of the warm-up and the first after it are as near as two steps of the schedule."""
    found = rates(10_100, schedule=schedule, warmup_steps=100)
    full = 0.05 if schedule == "one_cycle" else 0.5
    assert found[:100] == pytest.approx([full * (step + 1) / 100 for step in range(100)])
    assert found[100] == pytest.approx(full, rel=0.006)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "inverse_square_root", "exponential"])
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


def test_exponential_leaves_a_share_of_the_rate_after_each_step() -> None:
    found = rates(30, schedule="exponential", decay_rate=0.9, warmup_steps=5)
    assert found[5:] == pytest.approx([0.5 * 0.9**n for n in range(25)])


@pytest.mark.parametrize("warmup", [0, 40])
def test_one_cycle_is_three_lines(warmup: int) -> None:
    found = rates(100 + warmup, schedule="one_cycle", rise_share=0.4, warmup_steps=warmup)[warmup:]
    rise = [0.05 + 0.45 * n / 40 for n in range(40)]
    fall = [0.5 - 0.45 * n / 40 for n in range(40)]
    rest = [0.05 - 0.0495 * n / 20 for n in range(20)]
    assert found == pytest.approx(rise + fall + rest)


def test_one_cycle_may_be_all_rise_and_fall() -> None:
    found = rates(100, schedule="one_cycle", rise_share=0.5)
    assert max(found) == found[50] == 0.5
    assert found[1:50] == pytest.approx(found[:50:-1])


def test_only_a_plateau_heeds_validations() -> None:
    for schedule in get_args(Schedule):
        config = TrainingConfig(learning_rate=0.5, schedule=schedule, warmup_steps=4)
        found = [[learning_rate(config, step, 9, lowered) for step in range(9)] for lowered in (1.0, 0.25)]
        expected = [rate / 4 for rate in found[0]] if schedule == "plateau" else found[0]
        assert found[1] == expected


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_the_rate_is_never_below_its_minimum_after_the_warm_up(schedule: str) -> None:
    free = rates(200, schedule=schedule, warmup_steps=10, decay_rate=0.97)
    found = rates(200, schedule=schedule, warmup_steps=10, decay_rate=0.97, minimum_learning_rate=0.125)
    assert found[10:] == [max(rate, 0.125) for rate in free[10:]]
    assert found[0] == pytest.approx(found[9] / 10) and found[9] == pytest.approx(max(free[9], 0.125))


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_every_rate_is_a_number_whatever_the_lengths(schedule: str) -> None:
    for total, warmup in ((1, 0), (1, 1), (2, 5), (7, 7), (3, 2)):
        assert all(
            0.0 <= rate <= 0.5 and math.isfinite(rate) for rate in rates(total, schedule=schedule, warmup_steps=warmup)
        )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"minimum_learning_rate": 0.1}, "minimum_learning_rate 0.1 is above learning_rate 0.004: lower it"),
        ({"schedule": "plateau", "patience": 2}, "patience 2 stops training before plateau_patience 2 can lower"),
        ({"rise_share": 0.6}, "training.rise_share = 0.6: input should be less than or equal to 0.5"),
        ({"decay_rate": 0.0}, "training.decay_rate = 0.0: input should be greater than 0"),
        ({"plateau_factor": 1.0}, "training.plateau_factor = 1.0: input should be less than 1"),
        ({"schedule": "step"}, "training.schedule = 'step'"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config({"training": values})
    assert message in str(raised.value)
