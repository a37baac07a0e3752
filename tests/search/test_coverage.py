"""The coverage penalty: equation 14 of Wu et al. (2016), and an early finish that it does not deceive."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.errors import ConfigError
from diptych.search import Constraints, beam
from diptych.search.score import LEAST_ATTENTION, coverage

EOS = 2
sentences = st.lists(st.lists(st.integers(3, 9), min_size=1, max_size=4), min_size=1, max_size=3)
exponents = st.sampled_from([0.0, 0.6, 2.5])
strengths = st.sampled_from([0.0, 0.2, 1.0, 8.0])


def longest(batch, length=6):
    return np.full(len(batch), length, np.int32)


def score(model, sentence, tokens, value, exponent, strength):
    """By the equation, in lists."""
    rows = [model.attention(sentence, (1, *tokens[:place])) for place in range(len(tokens))]
    covered = sum(math.log(min(sum(row[i] for row in rows), 1.0)) for i in range(len(sentence)))
    return value / ((5 + len(tokens)) / 6) ** exponent + strength * covered


@given(sentences, st.integers(0, 1000), exponents, strengths)
@settings(max_examples=25)
def test_a_wide_beam_finds_the_best_by_the_equation(table_stepper, padded, batch, seed, exponent, strength):
    model, maximum = table_stepper(vocabulary_size=5, seed=seed), 3
    found = beam(model, *padded(batch), longest(batch, maximum), 15, exponent, 15, strength)
    for sentence, hypotheses in zip(batch, found, strict=True):
        every = [
            (tokens[-1] != EOS, -score(model, tuple(sentence), tokens, value, exponent, strength), tokens)
            for tokens, value in model.every_translation(tuple(sentence), maximum)
        ]
        every.sort()
        assert [hypothesis.tokens for hypothesis in hypotheses] == [tokens for *_, tokens in every]
        np.testing.assert_allclose([hypothesis.score for hypothesis in hypotheses], [-each for _, each, _ in every])


@given(sentences, st.integers(0, 1000), exponents, st.floats(0.0, 1.0), st.integers(2, 6), st.integers(0, 2), st.data())
@settings(max_examples=200)
def test_stopping_early_changes_nothing(
    table_stepper, padded, same_hypotheses, batch, seed, exponent, strength, size, ngram, data
):
    n_best = data.draw(st.integers(1, size - 1))
    # From nearly uniform to nearly sure of each token: then a score comes close to its bound, and a bound that is only
    # a little too low is seen.
    scale = data.draw(st.sampled_from([0.5, 2.0, 8.0]))
    stopping, going_on = (table_stepper(vocabulary_size=7, seed=seed, scale=scale) for _ in range(2))
    constraints = Constraints(no_repeat_ngram=ngram, minimum_length=ngram)
    request = *padded(batch), longest(batch, 9)
    few = beam(stopping, *request, size, exponent, n_best, strength, constraints)
    # With as many wanted as the beam is wide, nothing stops a sentence before its beam is used up.
    every = beam(going_on, *request, size, exponent, size, strength, constraints)
    for some, more in zip(few, every, strict=True):
        assert [(one.tokens, one.score) for one in some] == [(one.tokens, one.score) for one in more[:n_best]]
    assert sum(stopping.rows_per_step) <= sum(going_on.rows_per_step)


@pytest.mark.parametrize("exponent", [0.0, 0.6, 2.5])
@pytest.mark.parametrize("strength", [0.0, 0.2, 1.0])
def test_what_just_beats_the_best_so_far_is_waited_for(padded, exponent, strength):
    """A translation that gets all that the bound allows its prefix: sure of the rest, as long as may be, all read."""
    maximum, read = 9, [0.9, 0.1]
    best_so_far = -1.0 + strength * math.log(0.9 * 0.1)
    first = 0.999 * best_so_far * (14 / 6) ** exponent

    class Late:
        def start(self, source, source_lengths):
            return np.zeros(len(source), int)

        def step(self, state, tokens):
            table, attention = np.full((len(state), 5), -90.0), np.tile(read, (len(state), 1))
            for row, place in enumerate(state):
                table[row, EOS], table[row, 3] = (-1.0, first) if place == 0 else (-90.0, -1e-9)
                if place == maximum - 1:
                    table[row, EOS], attention[row] = -1e-9, 1.0
                    table[row, 3] = -90.0
            return table, attention, state + 1

        def reorder(self, state, rows):
            return state[rows]

    ((best,),) = beam(Late(), *padded([[5, 6]]), longest([0], maximum), 2, exponent, 1, strength)
    assert best.tokens == (*[3] * (maximum - 1), EOS)
    assert best.score == pytest.approx(0.999 * best_so_far)


class Reader:
    """Knows a short translation that leaves half of the source unread, and a long one that reads it all."""

    def start(self, source, source_lengths):
        return np.zeros(len(source), int)

    def step(self, state, tokens):
        table, attention = np.full((len(state), 5), -9.0), np.zeros((len(state), 2))
        for row, place in enumerate(state):
            table[row, EOS], table[row, 3] = (-0.7, -0.7) if place == 1 else (-9.0, -0.1) if place == 0 else (-0.1, -9)
            attention[row, min(place, 2) // 2] = 1.0
        return table, attention, state + 1

    def reorder(self, state, rows):
        return state[rows]


def test_it_prefers_what_reads_the_whole_source(padded):
    request = Reader(), *padded([[5, 6]]), longest([0])
    for strength, tokens in ((0.0, (3, EOS)), (0.1, (3, 3, EOS))):
        ((best,),) = beam(*request, 3, 0.0, 1, strength)
        assert best.tokens == tokens
    assert best.score == pytest.approx(-0.1 - 0.7 - 0.1)


def test_a_token_never_looked_at_has_a_finite_coverage():
    assert coverage([np.array([1.0, 0.0]), np.array([1.0, 1e-42])]) == pytest.approx(math.log(LEAST_ATTENTION))
    assert coverage([np.array([0.5, 0.5])] * 3) == 0.0


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_it_is_a_number_from_0_on(table_stepper, padded, strength):
    with pytest.raises(ConfigError, match="coverage_penalty is a number from 0 on"):
        beam(table_stepper(), *padded([[5]]), longest([0]), 2, coverage_penalty=strength)
