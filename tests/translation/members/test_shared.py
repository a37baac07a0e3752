"""A model in two processes: the translations of one, in the order of the lines."""

import numpy as np
import pytest

from diptych.errors import UsageError
from diptych.translation.translator import load

LINES = ["where is the station", "", "a", "the red bus", "is it", "good morning to you", "the", "one two three four"]


def said(translations):
    return [(each.source, each.text, each.log_probability, each.attention.tolist()) for each in translations]


def test_two_processes_say_what_one_says_in_the_order_of_the_lines(runs):
    run = runs[0]
    search = {"batch_size": 2, "beam_size": 2, "n_best": 2}
    alone = load(run, "reference").translate(LINES, **search)
    with load(run, "reference", workers=2) as shared:
        together = shared.translate(LINES, **search)
        assert said(together) == said(alone)
        assert [said_of.alternatives[1].score for said_of in together if said_of.alternatives] == [
            said_of.alternatives[1].score for said_of in alone if said_of.alternatives
        ]
        sampled = shared.translate(LINES[3:], first_row=3, temperature=1.0, batch_size=2)
        tokens, lengths = np.array([[4, 5]], np.int32), np.array([2], np.int32)
        assert shared.stepper.step(shared.stepper.start(tokens, lengths), np.array([1], np.int32))[0].shape[0] == 1
    expected = load(run, "reference").translate(LINES, temperature=1.0, batch_size=2)[3:]
    assert [each.text for each in sampled] == [each.text for each in expected]


def test_an_ensemble_is_not_shared(runs):
    with pytest.raises(UsageError, match="2 workers cannot share an ensemble"):
        load(runs[0], "reference", members=[str(runs[1].folder)], workers=2)
