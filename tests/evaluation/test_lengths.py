"""Quality by the length of the source."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.evaluation.lengths import MOST_RANGES, length_ranges, quality_by_length

REFERENCES = [f"this is sentence number {i} of the test" for i in range(40)]
WORSE = [text if i % 4 else text.replace("sentence", "line") for i, text in enumerate(REFERENCES)]


def test_quality_by_length_scores_each_sentence_once():
    lengths = [1 + i % 9 for i in range(40)]
    found = quality_by_length(lengths, {"a": WORSE, "b": REFERENCES}, REFERENCES)
    assert sum(each["sentences"] for each in found) == 40
    for each in found:
        assert each["sentences"] == sum(each["shortest"] <= length <= each["longest"] for length in lengths)
        assert each["chrf"]["b"] == [pytest.approx(100.0)] * 3
        score, low, high = each["chrf"]["a"]
        assert low <= score <= high


@given(st.lists(st.integers(1, 60), min_size=1, max_size=300))
def test_ranges_of_lengths_cover_every_length_once_and_in_order(lengths):
    ranges = length_ranges(lengths)
    assert 1 <= len(ranges) <= MOST_RANGES
    assert all(short <= long for short, long in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert all(sum(short <= length <= long for short, long in ranges) == 1 for length in lengths)
    assert (ranges[0][0], ranges[-1][1]) == (min(lengths), max(lengths))
