"""Loss curves, quality by length and speeds: what they show, and what they refuse."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from diptych import plots
from diptych.errors import UsageError


def texts(labels):
    return [label.get_text() for label in labels]


def size(path):
    """Width and height of a PNG in pixels."""
    return struct.unpack(">II", path.read_bytes()[16:24])


def test_loss_curves_show_both_and_their_gap_on_a_log_axis(tmp_path, figures):
    path = tmp_path / "loss.png"
    before = np.linspace(5.0, 1.0, 50)
    after = before[:40] + 1e-7
    plots.loss_curves({"tensorflow": before, "pytorch": after}, path, "phrasebook")
    upper, lower = figures[0].axes
    assert texts(upper.get_legend().get_texts()) == ["TensorFlow", "PyTorch"]
    assert [line.get_xdata()[-1] for line in upper.lines] == [50, 40]
    assert lower.get_yscale() == "log"
    np.testing.assert_allclose(lower.lines[0].get_ydata(), 1e-7, rtol=1e-6)
    assert "1.0e-07" in texts(lower.texts)[0]
    assert upper.lines[0].get_color() != upper.lines[1].get_color()
    assert min(size(path)) > 500


def test_curves_without_a_gap_say_so(tmp_path, figures):
    plots.loss_curves({"tensorflow": [2.0, 1.0], "pytorch": [2.0, 1.0]}, tmp_path / "loss.svg")
    assert texts(figures[0].axes[1].texts) == ["no gap: every loss is the same number"]


def test_one_backend_and_one_step_are_enough(tmp_path, figures):
    plots.loss_curves({"pytorch": [2.0]}, tmp_path / "loss.svg")
    assert len(figures[0].axes) == 1


@pytest.mark.parametrize("losses", [{}, {"pytorch": []}, {"pytorch": [], "tensorflow": []}])
def test_there_must_be_losses_to_draw(tmp_path, losses):
    with pytest.raises(UsageError, match="no losses to draw"):
        plots.loss_curves(losses, tmp_path / "loss.png")


def test_numbers_that_are_not_finite_do_not_stop_a_picture(tmp_path, figures):
    plots.loss_curves({"tensorflow": [2.0, 1.0], "pytorch": [2.0, np.inf]}, tmp_path / "loss.png")
    assert "largest gap inf" in texts(figures[0].axes[1].texts)[0]


@pytest.mark.parametrize(("last", "scale"), [(0.05, "log"), (1.0, "linear"), (0.0, "linear"), (-1.0, "linear")])
def test_losses_that_fall_far_are_on_a_log_axis_where_they_can_be(tmp_path, figures, last, scale):
    plots.loss_curves({"pytorch": [7.0, 3.0, last]}, tmp_path / "loss.png")
    assert figures[0].axes[0].get_yscale() == scale


def test_validations_are_marks_on_the_curves(tmp_path, figures):
    losses = {"tensorflow": [2.0, 1.5, 1.0], "pytorch": [2.0, 1.5, 1.0]}
    validation = {"tensorflow": [(2, 1.6), (3, 1.1)], "pytorch": []}
    plots.loss_curves(losses, tmp_path / "loss.png", validation=validation)
    upper = figures[0].axes[0]
    assert texts(upper.get_legend().get_texts()) == ["TensorFlow", "TensorFlow, validation", "PyTorch"]
    np.testing.assert_array_equal(upper.lines[1].get_xydata(), [(2, 1.6), (3, 1.1)])


def test_steps_without_a_gap_are_counted(tmp_path, figures):
    plots.loss_curves({"a": [2.0, 1.0, 0.5], "b": [2.0, 1.5, 0.5]}, tmp_path / "loss.png")
    assert texts(figures[0].axes[1].texts) == ["largest gap 5.0e-01; no gap at 2 of 3 steps"]


ESTIMATES = {"tensorflow": [(99.0, 98.0, 100.0), (95.0, 90.0, 97.0)], "pytorch": [(99.0, 98.0, 100.0), (96.0, 93, 98)]}


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_quality_by_length_shows_scores_intervals_and_counts(tmp_path, figures, suffix):
    plots.length_and_quality([(1, 1), (2, 9)], [30, 12], ESTIMATES, tmp_path / f"q{suffix}", "chrF", "phrasebook")
    upper, lower = figures[0].axes
    assert texts(upper.get_legend().get_texts()) == ["TensorFlow", "PyTorch"]
    assert texts(lower.get_xticklabels()) == ["1", "2–9"]
    assert texts(lower.texts) == ["30", "12"]
    data, _, bars = upper.containers[0]
    np.testing.assert_array_equal(data.get_ydata(), [99.0, 95.0])
    np.testing.assert_array_equal([segment[:, 1] for segment in bars[0].get_segments()], [(98.0, 100.0), (90.0, 97.0)])
    other = upper.containers[1][0]
    assert all(data.get_xdata() < other.get_xdata())  # equal scores do not cover each other
    assert (tmp_path / f"q{suffix}").stat().st_size > 1000


def test_quality_needs_lengths_and_one_score_for_each(tmp_path):
    with pytest.raises(UsageError, match="no lengths to draw"):
        plots.length_and_quality([], [], {}, tmp_path / "q.png")
    with pytest.raises(ValueError, match="1 lengths but other numbers of scores for tensorflow, pytorch"):
        plots.length_and_quality([(1, 2)], [3], ESTIMATES, tmp_path / "q.png")


def test_speed_bars_show_the_median_the_spread_and_the_ceiling(tmp_path, figures):
    path = tmp_path / "speed.svg"
    quantities = {
        "training, target tokens/s": {"tensorflow": [4000.0, 5000.0, 4400.0], "pytorch": [3000.0, 3100.0]},
        "decoding, sentences/s": {"tensorflow": [1500.0], "pytorch": []},
    }
    plots.speed_bars(quantities, path, "speed", {"training, target tokens/s": {"tensorflow": 8800.0}})
    training, decoding = figures[0].axes
    assert [bar.get_width() for bar in training.patches] == [4400.0, 3050.0]
    assert texts(training.texts) == ["4,400  (4,000–5,000), 50% of 8,800", "3,050  (3,000–3,100)"]
    np.testing.assert_array_equal(training.lines[0].get_xdata(), (4000.0, 5000.0))
    np.testing.assert_array_equal(training.lines[1].get_xdata(), [4000.0, 5000.0, 4400.0])
    assert training.get_xlim()[1] > 8800.0
    assert texts(training.get_yticklabels()) == ["TensorFlow", "PyTorch"]
    assert texts(decoding.texts) == ["1,500"]
    assert decoding.get_title(loc="left") == "decoding, sentences/s"


@pytest.mark.parametrize("quantities", [{}, {"a": {}}, {"a": {"pytorch": []}}])
def test_there_must_be_speeds_to_draw(tmp_path, quantities):
    with pytest.raises(UsageError, match="no speeds to draw"):
        plots.speed_bars(quantities, tmp_path / "speed.png")
    assert not list(tmp_path.iterdir())


def test_a_rate_curve_marks_what_is_suggested_on_a_log_axis(tmp_path, figures):
    rates, path = np.geomspace(1e-6, 1.0, 20), tmp_path / "rates.png"
    plots.rate_curve("pytorch", rates, np.linspace(5.0, 3.0, 20), np.linspace(5.0, 4.0, 20), 0.003, path, "tiny")
    [axes] = figures[0].axes
    assert axes.get_xscale() == "log"
    assert "suggested: 0.003" in texts(axes.get_legend().get_texts())
    assert axes.lines[-1].get_xdata()[0] == 0.003
    assert min(size(path)) > 400
    with pytest.raises(UsageError, match="no learning rates to draw"):
        plots.rate_curve("pytorch", [], [], [], 0.1, path)
