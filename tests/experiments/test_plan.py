"""Which trainings a batch has: every combination once, each with a folder of its own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.errors import UsageError
from diptych.experiments.plan import Variation, folder_name, settings


def test_every_combination_comes_once_the_last_key_changing_first():
    varied = [Variation("variables.language", ("kor", "ice")), Variation("training.seed", ("1", "2", "3"))]
    assert [tuple(each.values()) for each in settings(varied)] == [
        ("kor", "1"), ("kor", "2"), ("kor", "3"), ("ice", "1"), ("ice", "2"), ("ice", "3"),
    ]  # fmt: skip


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_no_two_have_one_folder(sizes):
    varied = [Variation(f"model.key{k}", tuple(map(str, range(size)))) for k, size in enumerate(sizes)]
    names = {folder_name("recipe", each) for each in settings(varied)}
    assert len(names) == math.prod(sizes)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("training.seed=1,2", ("1", "2")),
        ("model.attention = additive , dot", ("additive", "dot")),
        ('data.train=["a.tsv","b.tsv"],["c.tsv"]', ('["a.tsv","b.tsv"]', '["c.tsv"]')),
        ("training.learning_rate=1e-4", ("1e-4",)),
    ],
)
def test_values_are_parted_by_commas_outside_brackets(text, values):
    assert Variation.read(text).values == values


@pytest.mark.parametrize(
    "text", ["training.seed", "training.seed=", "=1,2", "training.seed=1,,2", "training.seed=1,", "training.seed=1,1"]
)
def test_what_varies_nothing_is_refused(text):
    with pytest.raises(UsageError, match="training.seed|=1,2"):
        Variation.read(text)


def test_a_key_is_varied_once():
    twice = Variation("training.seed", ("1",))
    with pytest.raises(UsageError, match="training.seed is varied twice"):
        settings([twice, twice])


def test_a_folder_says_what_is_varied():
    assert folder_name("g2p-kor", {"variables.language": "kor", "training.seed": "2"}) == "g2p-kor-seed2"
    assert folder_name("x", {"model.attention": "dot", "backend": "pytorch"}) == "x-dot-pytorch"
    assert "/" not in folder_name("x", {"data.train": '["../a/b.tsv"]'})
