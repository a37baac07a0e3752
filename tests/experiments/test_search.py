"""A search draws what it says, the same every time, and ranks by validation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.errors import UsageError
from diptych.experiments.plan import Variation
from diptych.experiments.search import Range, drawn, ranked

RATE = Range.read("training.learning_rate=1e-4..1e-2")
KINDS = Variation("model.attention", ("additive", "dot"))


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_every_draw_lies_in_its_range(share):
    assert 1e-4 <= float(RATE.at(share)) <= 1e-2
    size, depth = Range.read("model.decoder_size=32..512"), Range.read("model.encoder_layers=1..3")
    assert 32 <= int(size.at(share)) <= 512 and int(depth.at(share)) in (1, 2, 3)
    assert 0.1 <= float(Range.read("model.dropout=0.1..0.5").at(share)) <= 0.5


def test_powers_of_ten_are_equally_likely_and_whole_numbers_too():
    values = [float(each["training.learning_rate"]) for each in drawn([RATE], 400, seed=1)]
    assert 0.4 < sum(value < 1e-3 for value in values) / len(values) < 0.6
    depths = [Range.read("x=1..3").at(k / 300) for k in range(300)]
    assert {depths.count(each) for each in "123"} == {100}


def test_more_trials_begin_with_the_same():
    assert drawn([RATE, KINDS], 9, seed=2)[:5] == drawn([RATE, KINDS], 5, seed=2)
    assert drawn([RATE, KINDS], 5, seed=2) != drawn([RATE, KINDS], 5, seed=3)


def test_values_alone_are_a_grid_or_as_many_of_it_as_there_are():
    assert drawn([KINDS], 0, seed=1) == [{"model.attention": "additive"}, {"model.attention": "dot"}]
    assert sorted(each["model.attention"] for each in drawn([KINDS], 7, seed=1)) == ["additive", "dot"]


@pytest.mark.parametrize(
    ("varied", "trials", "message"),
    [
        ([RATE], 0, "say how many with --trials"),
        ([RATE, RATE], 3, "varied twice"),
        ([Variation(f"k{n}", tuple("0123456789")) for n in range(4)], 0, "10,000 trainings"),
    ],
)
def test_what_cannot_be_drawn_is_refused(varied, trials, message):
    with pytest.raises(UsageError, match=message):
        drawn(varied, trials, seed=1)


@pytest.mark.parametrize("text", ["x=1..a", "x=2..1", "x=1..inf", "x=nan..1", "x=1..1"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(UsageError, match="a range goes"):
        Range.read(text)


def test_what_is_no_range_at_all_is_left_to_others():
    assert Range.read("data.train=a..b,c") is None and Range.read("x=1,2") is None


def result(loss, score):
    return {"training": {"best_validation_loss": loss}, "scores": {"bleu": {"score": score}}}


def test_the_best_comes_first_and_what_has_no_value_last():
    results = [result(2.0, 30.0), result(1.0, 10.0), result(None, 20.0)]
    assert [merit for merit, _ in ranked(results, "bleu", True)] == [30.0, 20.0, 10.0]
    losses = [merit for merit, _ in ranked(results, "loss", False)]
    assert losses[:2] == [1.0, 2.0] and math.isnan(losses[2])
