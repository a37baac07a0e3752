"""What speaks against a translation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.tokens.vocabulary import Vocabulary
from diptych.translation.doubts import doubts, repeats, summary

KNOWN = Vocabulary(("I", "feel", "hungry", "very"))


def judge(source, said, longest=4):
    tokens = said.split()
    text = " ".join(token for token in tokens if token != "<eos>")
    return doubts(source.split(), tokens, text, KNOWN, longest)


@pytest.mark.parametrize(
    ("source", "said", "expected"),
    [
        ("I feel hungry", "a b <eos>", ()),
        ("I feel hungry.", "a b <eos>", ("unknown_words",)),
        ("I felt hungry.", "a b <eos>", ("mostly_unknown",)),
        ("xx yy", "a <eos>", ("mostly_unknown",)),
        ("I feel very very hungry", "a <eos>", ("longer_than_training",)),
        ("I feel hungry", "a b", ("cut_off",)),
        ("I feel hungry", "<eos>", ("empty",)),
        ("I feel hungry", "a b a b a b a b <eos>", ("loop",)),
        ("", "", ()),
    ],
)
def test_each_doubt_has_its_reason(source, said, expected):
    assert judge(source, said) == expected


def test_without_a_longest_source_no_line_is_too_long():
    assert judge("I feel very very hungry", "a <eos>", longest=None) == ()


@given(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), unique=True))
def test_what_is_said_once_is_no_loop(tokens):
    assert not repeats(tokens)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.integers(4, 9), st.lists(st.just("x"), max_size=3))
def test_what_is_said_four_times_and_fills_half_is_one(loop, times, before):
    assert repeats(["<", *before[: len(loop)], *loop * times])


def test_two_words_said_twice_are_none():
    assert not repeats("very very good and very very bad".split())
    assert not repeats("ha ha ha".split())


def test_a_summary_counts_lines_and_reasons():
    told = summary([(), ("cut_off", "loop"), ("cut_off",)])
    assert told == (
        "doubtful lines: 2 of 3 (translation cut off at the maximum length: 2; translation repeats itself: 1)"
    )
    assert summary([(), ()]) == ""
