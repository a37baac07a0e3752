"""What a model says becomes training pairs, each as often as it is probable."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.translation.distillation import training_pairs
from diptych.translation.translation import Alternative, Translation


def translation(*said):
    best = [Alternative(text=text, log_probability=math.log(share), score=0.0) for text, share in said]
    return Translation(source="w", text=said[0][0] if said else "", alternatives=tuple(best))


@pytest.mark.parametrize(
    ("copies", "counts"),
    [
        (10, {"a": 6, "b": 3, "c": 1}),
        (1, {"a": 1}),
        (2, {"a": 1, "b": 1}),
        (3, {"a": 2, "b": 1}),
        (7, {"a": 4, "b": 2, "c": 1}),
    ],
)
def test_each_comes_as_often_as_its_share_asks_for(copies, counts):
    found = training_pairs(translation(("a", 0.30), ("b", 0.15), ("c", 0.05)), copies)
    assert Counter(found) == {("w", text): count for text, count in counts.items()}


@given(st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=6), st.integers(1, 30))
def test_there_are_as_many_as_asked_for_and_none_is_off_by_one(shares, copies):
    found = Counter(training_pairs(translation(*((str(place), share) for place, share in enumerate(shares))), copies))
    assert sum(found.values()) == copies
    for place, share in enumerate(shares):
        assert abs(found["w", str(place)] - copies * share / sum(shares)) < 1.0 + 1e-9


def test_without_alternatives_the_translation_counts_and_what_is_empty_does_not():
    assert training_pairs(Translation(source="w", text="a"), 2) == [("w", "a")] * 2
    assert training_pairs(Translation(source="w", text=" "), 2) == []
    assert training_pairs(translation((" ", 0.9), ("b", 0.1)), 3) == [("w", "b")] * 3
