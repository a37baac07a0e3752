"""Findings as text."""

from pathlib import Path

import pytest

from diptych.differences.catalogue import Finding
from diptych.differences.entry import Entry
from diptych.differences.render import describe, number, sketch, table

ENTRY = Entry("a_name", "A title", "loss", "what " * 60, "why", "bridge", "largest ratio", "times " * 30, Path())
OUTPUTS = {
    "tensorflow": {"versions": {"keras": "3.15"}, "result": [1.0] * 50, "details": {"a note": 0.25}},
    "pytorch": {"versions": {"torch": "2.13"}, "result": [1.0] * 49 + [2.0], "bridged": [1.0] * 50},
}
DIFFERS = Finding(ENTRY, "differs", OUTPUTS, 2.0, 1.0)
MISSING = Finding(ENTRY, "not installed", {}, note="pytorch is not installed: pip install 'diptych[pytorch]'")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (2.0, "2"), (19.0, "19"), (0.19345, "0.193"), (5.6e-06, "5.6e-06"), (1e20, "1e+20")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_a_sketch_shows_the_start_and_the_count():
    assert sketch([[1.5, 2], ["a", True]]) == "1.5, 2, a, True"
    assert sketch({"x": [1.0, 2.0], "y": "word"}) == "x: 1, 2, y: word"
    assert sketch(list(range(100))) == "0, 1, 2, 3, 4, 5 ... (100 values)"


def test_the_table_has_a_line_for_each_finding_the_counts_and_the_versions():
    text = table([DIFFERS, MISSING], width=100)
    lines = text.splitlines()
    assert len(lines[2]) <= 100
    assert lines[0] == "The loss"
    assert lines[2].split()[:3] == ["a_name", "2", "1"]
    assert "not installed: pytorch is not installed: pip install 'diptych[pytorch]'" in lines[3]
    assert lines[-2:] == ["1 differs, 1 not installed", "keras 3.15, torch 2.13"]


def test_an_empty_table_is_text_too():
    assert table([]).strip() == ""


def test_a_finding_in_full_shows_both_results_and_where_they_are_furthest_apart():
    text = describe(DIFFERS, width=80)
    assert "keras 3.15" in text
    assert "result   1, 1, 1, 1, 1, 1 ... (50 values)" in text
    assert "details  a note: 0.25" in text
    assert "[49]: 1 in TensorFlow, 2 in PyTorch" in text
    assert "Bridged  1: the two agree" in text
    assert text.endswith("Verdict  differs\n")


def test_a_finding_without_results_shows_its_note():
    text = describe(MISSING)
    assert text.endswith("Verdict  not installed: pytorch is not installed: pip install 'diptych[pytorch]'\n")
    assert "Effect" not in text


def test_a_bridge_that_does_not_hold_says_so():
    text = describe(Finding(ENTRY, "differs", OUTPUTS, 2.0, 1.5))
    assert "Bridged  1.5: more than the tolerance of 1e-12" in text
