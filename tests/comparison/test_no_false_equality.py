"""Wherever something is called equal: differences are taken before anything is rounded."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.comparison import pictures
from diptych.comparison.quality import agreement
from diptych.comparison.report import difference, translation_entry
from diptych.ladder.limits import Level
from diptych.pages.report.ladder import rungs
from diptych.pages.report.losses import loss_chart
from diptych.pages.report.sentences import map_data
from diptych.plots import attention as drawing

TINY = 7.2e-7
"""Less than a report's four decimals, and than a page's six show."""


def entry(gap, said=("a", "b")):
    """A translation whose two attention maps differ by `gap` in one place."""
    weights = np.array([[0.25, 0.75], [0.5, 0.5]])
    other = weights + np.array([[gap, 0.0], [0.0, 0.0]])
    found = {
        name: {"text": " ".join(words), "source_tokens": ["x", "y"], "tokens": list(words), "log_probability": -1.0,
               "attention": attention}
        for name, words, attention in (("tensorflow", ("a", "b"), weights), ("pytorch", said, other))
    }  # fmt: skip
    return translation_entry(("x y", "a b"), found)


def test_a_report_keeps_the_difference_that_its_rounded_maps_have_lost():
    found = entry(TINY)
    assert found["attention"]["tensorflow"] == found["attention"]["pytorch"]
    assert found["difference"]["largest"] == pytest.approx(TINY, rel=1e-6)
    assert found["difference"]["hundredths"] == [[100, 0], [0, 0]]
    assert entry(0.0)["difference"] == {"largest": 0.0, "hundredths": [[0, 0], [0, 0]]}
    assert entry(-TINY)["difference"]["hundredths"][0][0] == -100


def test_what_says_something_else_or_looks_nowhere_has_no_difference():
    assert entry(TINY, said=("a", "c"))["difference"] is None
    nowhere = np.zeros((2, 2))
    assert difference([(["a", "b"], nowhere), (["a", "b"], nowhere)]) is None


@pytest.mark.parametrize(("gap", "said"), [(TINY, "largest 7.2e-07"), (0.0, "no difference in float32")])
def test_the_picture_says_what_was_so_before_rounding(tmp_path, monkeypatch, gap, said):
    figures, save = [], drawing.save

    def keep(figure, path, title):
        figures.append(figure)
        save(figure, path, title)

    monkeypatch.setattr(drawing, "save", keep)
    pictures.draw_attention([entry(gap)], tmp_path)
    assert said in next(axes.get_xlabel() for axes in figures[0].axes if "\n" in axes.get_xlabel())


@pytest.mark.parametrize("gap", [TINY, 0.0])
def test_the_page_is_given_the_difference_beside_the_rounded_maps(gap):
    drawn = map_data(entry(gap))
    assert drawn["weights"][0] == drawn["weights"][1]
    assert drawn["difference"]["largest"] == pytest.approx(gap, rel=1e-6)
    assert drawn["difference"]["hundredths"] == [100 if gap else 0, 0, 0, 0]


def test_losses_that_differ_in_their_last_bit_are_not_equal():
    losses = {"tensorflow": [1.0, 0.5], "pytorch": [1.0, np.nextafter(0.5, 1.0)]}
    found = agreement(losses, {name: ["a"] for name in losses})
    assert found["largest_loss_gap"] > 0.0 and found["largest_loss_gap_step"] == 2
    chart = loss_chart({name: {"training": {"losses": each, "final_loss": each[-1]}} for name, each in losses.items()})
    assert chart.equal == 1 and chart.gaps


def test_a_rung_with_any_gap_is_not_called_equal():
    level = Level("logits", "float64", ("tensorflow", "pytorch"), "logits", 5e-324, 1e-12, 5e-324, 0.0, True)
    assert rungs([level.to_json()])[0].gap != "0"
