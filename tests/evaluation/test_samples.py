"""A few translations to look at, and the sameness of many."""

from __future__ import annotations

import pytest

from diptych.evaluation.evaluate import _cut_badly
from diptych.evaluation.samples import FEWEST, sameness, samples

SOURCES = [f"source {number}" for number in range(20)]


@pytest.mark.parametrize(("there", "shown"), [(1, 1), (4, 4), (5, 5), (20, 5), (19, 5)])
def test_five_are_shown_or_all(there, shown):
    rows = [str(number) for number in range(there)]
    found = samples(rows, rows, rows)
    assert len(found) == shown and len({each.source for each in found}) == shown
    assert all(each.source == each.said == each.reference for each in found)


def test_what_most_sources_get_is_told_and_what_half_get_is_not():
    assert sameness(SOURCES, ["x"] * 11 + SOURCES[11:]) == ("x", 11)
    assert sameness(SOURCES, ["x"] * 10 + SOURCES[10:]) is None


def test_one_source_many_times_counts_once_and_few_sources_do_not_count():
    assert sameness(["again"] * 15 + SOURCES[:10], ["x"] * 15 + SOURCES[:10]) is None
    assert sameness(SOURCES[: FEWEST - 1], ["x"] * (FEWEST - 1)) is None


@pytest.mark.parametrize(
    ("references", "tokenize", "measures", "told"),
    [
        (["배가 고파요", "I feel 배가 고파요"], "13a", ("bleu",), True),
        (["私は学生です"], "13a", ("bleu", "chrf"), True),
        (["배가 고파요"], "char", ("bleu",), False),
        (["배가 고파요"], "13a", ("chrf",), False),
        (["I feel hungry, 배"], "13a", ("bleu",), False),
        (["1 2 3"], "13a", ("bleu",), False),
    ],
)
def test_bleu_that_cuts_korean_at_spaces_says_what_would_be_better(references, tokenize, measures, told):
    warnings = _cut_badly(references, measures, tokenize)
    assert bool(warnings) == told
    assert not told or ("--tokenize char" in warnings[0] and "chrF" in warnings[0])
