"""Scores and how sure they are; the spread of speeds."""

import pytest

from diptych.comparison.participant import BLOCKS, block_speeds
from diptych.comparison.quality import quality

REFERENCES = [f"this is sentence number {i} of the test" for i in range(40)]
WORSE = [text if i % 4 else text.replace("sentence", "line") for i, text in enumerate(REFERENCES)]


def test_quality_carries_its_signatures():
    found = quality({"a": ["a b c d e"], "b": ["a b c d e"]}, ["a b c d e"], "none")["a"]
    assert (found["bleu"], found["exact_match"]) == (pytest.approx(100.0), 100.0)
    assert "tok:none" in found["signatures"]["bleu"]
    assert "|bs:1000|seed:12345|" in found["interval_signatures"]["bleu"]


def test_an_interval_holds_the_score_and_narrows_with_more_sentences():
    few = quality({"a": WORSE[:8], "b": REFERENCES[:8]}, REFERENCES[:8], "13a")["a"]
    many = quality({"a": WORSE * 5, "b": REFERENCES * 5}, REFERENCES * 5, "13a")["a"]
    for name in ("bleu", "chrf", "exact_match"):
        widths = []
        for each in (few, many):
            low, high = each["intervals"][name]
            assert 0.0 <= low < each[name] < high <= 100.0, name
            widths.append(high - low)
        assert widths[1] < widths[0] / 2, name


def test_a_real_difference_is_not_chance_and_none_has_no_probability():
    found = quality({"a": REFERENCES, "b": WORSE}, REFERENCES, "13a")
    assert found["a"]["p_values"] == {"chrf": None, "bleu": None}
    assert found["b"]["p_values"]["bleu"] < 0.05
    same = quality({"a": WORSE, "b": list(WORSE)}, REFERENCES, "13a")
    assert same["b"]["p_values"] == {"chrf": None, "bleu": None}


def test_short_references_are_scored_by_the_same_order_as_their_intervals():
    found = quality({"a": ["a b", "c d"], "b": ["a b", "c x"]}, ["a b", "c d"], "13a")["a"]
    assert "eff:yes" in found["signatures"]["bleu"]
    assert "eff:yes" in found["interval_signatures"]["bleu"]
    assert found["intervals"]["bleu"] == [pytest.approx(100.0)] * 2


def test_exact_match_has_wilsons_interval():
    texts = ["x"] * 81 + ["y"] * 19
    found = quality({"a": texts, "b": texts}, ["x"] * 100, "13a")["a"]
    assert found["intervals"]["exact_match"] == [pytest.approx(72.2, abs=0.1), pytest.approx(87.5, abs=0.1)]


def test_speeds_come_in_blocks_and_leave_out_the_first_step_and_validations():
    steps = [{"step": i, "loss": 1.0, "target_tokens": 100, "seconds": 0.5} for i in range(1, 102)]
    steps[0]["seconds"] = 60.0
    assert block_speeds([*steps, {"step": 101, "validation_loss": 1.0}]) == [200.0] * BLOCKS
    assert block_speeds(steps[:3]) == [200.0, 200.0]
    assert block_speeds(steps[:1]) == []
    steps[50]["seconds"] = 1.0
    assert min(block_speeds(steps)) == pytest.approx(500 / 3.0)
