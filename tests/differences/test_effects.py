"""How effects are measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.differences.effects import RULES, agree, effect, furthest

numbers = st.floats(min_value=0.001, max_value=1000.0)
results = st.recursive(
    numbers,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=3), inner, min_size=1),
    max_leaves=6,
)


@given(results, st.sampled_from(sorted(RULES)))
def test_a_result_agrees_with_itself(result, rule):
    assert agree(rule, effect(rule, result, result), 0.0)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5), st.sampled_from(sorted(RULES)))
def test_effects_are_symmetric_and_see_any_change(pairs, rule):
    first, second = (list(side) for side in zip(*pairs, strict=True))
    found = effect(rule, first, second)
    assert found == effect(rule, second, first)
    assert agree(rule, found, 0.0) == (first == second)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("largest absolute difference", 6.0),
        ("largest relative difference", 0.75),
        ("largest ratio", 4.0),
        ("values that differ", 2.0),
    ],
)
def test_each_rule_on_numbers_worked_out_by_hand(rule, expected):
    assert effect(rule, {"a": [1.0, 2.0], "b": 3.0}, {"a": [1.0, 8.0], "b": 4.0}) == expected


def test_a_relative_difference_of_two_zeros_is_zero():
    assert effect("largest relative difference", [0.0, 1.0], [0.0, 1.0]) == 0.0


def test_values_in_one_result_only_are_counted():
    assert effect("values that differ", [[2, 4]], [[2, 5, 4], [1]]) == 3.0
    assert effect("values that differ", "float32", "RuntimeError") == 1.0


@pytest.mark.parametrize(
    ("rule", "first", "second", "message"),
    [
        ("largest absolute difference", [1.0], [1.0, 2.0], "1 values, the last at [0] and 2 values, the last at [1]"),
        ("largest absolute difference", 1.0, "a word", "expected two numbers at the top, got 1.0 and 'a word'"),
        ("largest absolute difference", [], [], "the results are empty"),
        ("largest ratio", 0.0, 1.0, "the ratio of a number to zero"),
        ("largest absolute difference", math.inf, 1.0, "the largest absolute difference of the two results is inf"),
    ],
)
def test_results_that_cannot_be_compared_say_why(rule, first, second, message):
    with pytest.raises(ValueError) as caught:
        effect(rule, first, second)
    assert message in str(caught.value)


def test_the_places_furthest_apart_come_first_and_words_before_numbers():
    first, second = {"a": [1.0, 2.0, 3.0], "b": "x"}, {"a": [1.0, 2.5, 9.0], "b": "y"}
    assert furthest(first, second) == [("b", "x", "y"), ("a[2]", 3.0, 9.0), ("a[1]", 2.0, 2.5)]
    assert furthest(1.0, 1.0) == []
