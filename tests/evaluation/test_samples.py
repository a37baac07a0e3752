"""A few translations to look at, and the sameness of many."""

from __future__ import annotations

import pytest

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
