"""Models that vote: plurality, and what breaks a tie."""

from __future__ import annotations

import pytest

from diptych.translation.translation import Alternative, Translation
from diptych.translation.vote import Vote, elected


def said(text, log_probability=-1.0, **more):
    return Translation(source="x", text=text, log_probability=log_probability, **more)


def test_the_plurality_wins_however_improbable():
    assert elected([said("a", -0.1), said("b", -9.0), said("b", -9.0), said("c", -0.1)]).text == "b"


def test_a_tie_goes_to_the_more_probable_on_average_then_to_the_first():
    assert elected([said("a", -2.0), said("b", -1.0), said("a", -1.0), said("b", -1.5)]).text == "b"
    assert elected([said("a"), said("b")]).text == "a"


def test_the_winner_is_as_its_first_voter_came_to_it():
    first, second = said("a", -2.0, tokens=("a",)), said("a", -1.0, tokens=("a", "!"))
    other = Alternative(text="a", score=1.0)
    winner = elected([said("b"), first, second])
    assert winner.tokens == ("a",) and winner.log_probability == -2.0
    assert elected([said("a", alternatives=(other,))]).alternatives == ()


class Voter:
    run, backend, attends = "a run", "reference", True

    def __init__(self, *texts):
        self.texts = texts

    def translate(self, lines, search=None, *, first_row=0, prefix="", **overrides):
        return [said(text) for text in self.texts]


def test_each_line_has_its_own_vote():
    vote = Vote([Voter("a", "x"), Voter("a", "y"), Voter("b", "y")])
    assert [each.text for each in vote.translate(["1", "2"])] == ["a", "y"]


@pytest.mark.parametrize("voters", [[Voter("a")]])
def test_one_voter_is_its_own_majority(voters):
    assert Vote(voters).translate(["1"])[0].text == "a"
