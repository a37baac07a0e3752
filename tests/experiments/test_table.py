"""The table of a batch: means over seeds, and over tasks, each task weighing the same."""

from __future__ import annotations

import pytest

from diptych.experiments.table import markdown, rows


def result(score, seconds=60.0, together="", **settings):
    settings = {
        f"variables.{key}" if key == "language" else f"training.{key}": value for key, value in settings.items()
    }
    own = {"settings": settings, "scores": {"wer": {"score": score}}}
    if together:
        return own | {"together": together, "members": ["a", "b"]}
    return own | {"training": {"seconds": seconds, "peak_bytes": 500_000_000}}


RESULTS = [
    result(20.0, language="kor", seed="1"),
    result(30.0, language="kor", seed="2", seconds=180.0),
    result(10.0, language="ice", seed="1"),
    result(24.0, together="vote", language="kor"),
    result(8.0, together="vote", language="ice"),
]


def test_seeds_are_averaged_and_tasks_weigh_the_same():
    kor, ice, kor_vote, ice_vote, mean, mean_vote = rows(RESULTS, ["wer"])
    assert kor.scores["wer"] == (25.0, 20.0, 30.0) and kor.models == 2 and kor.minutes == 2.0
    assert ice.scores["wer"] == (10.0, 10.0, 10.0)
    assert (kor_vote.scores["wer"][0], ice_vote.scores["wer"][0]) == (24.0, 8.0) and kor_vote.minutes is None
    assert mean.scores["wer"] == (17.5, 10.0, 25.0)  # not the mean of three models, which is 20
    assert mean.settings["variables.language"] == "mean of 2" and mean_vote.scores["wer"][0] == 16.0


def test_one_task_has_no_mean():
    assert len(rows(RESULTS[:2], ["wer"])) == 1


def test_markdown_has_a_cell_for_each_head():
    lines = markdown(rows(RESULTS, ["wer"]), ["wer"]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| kor |  | 2 | 25.00 (20.00 to 30.00) | 2.0 | 0.5 GB |"


@pytest.mark.parametrize("missing", ["bleu"])
def test_a_measure_that_was_not_taken_is_an_error(missing):
    with pytest.raises(KeyError):
        rows(RESULTS, [missing])
