"""Ensembles: one model is itself, equal ones are the model, and the order makes no difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.errors import ConfigError
from diptych.search import Ensemble, beam, greedy, sample

batch = [[5], [6, 7], [8, 4, 5]]
averages = pytest.mark.parametrize("average", ["probability", "log_probability"])
searches = pytest.mark.parametrize(
    "search",
    [
        lambda *request: [[one] for one in greedy(*request)],
        lambda *request: [[one] for one in sample(*request, 1.3, 5, range(3))],
        lambda *request: beam(*request, 4, n_best=4),
    ],
    ids=["greedy", "sampling", "beam"],
)


def longest(sentences, length=7):
    return np.full(len(sentences), length, np.int32)


def found_by(search, stepper, padded):
    """The hypotheses of all sentences in one list."""
    return [one for found in search(stepper, *padded(batch), longest(batch)) for one in found]


@averages
@searches
@pytest.mark.parametrize("members", [1, 2, 3, 5])
def test_equal_members_are_the_model(table_stepper, padded, search, average, members):
    alone = found_by(search, table_stepper(seed=2), padded)
    together = found_by(search, Ensemble([table_stepper(seed=2)] * members, average), padded)
    for one, other in zip(alone, together, strict=True):
        assert one.tokens == other.tokens
        if members == 1 or average == "probability":
            assert one.token_log_probabilities == other.token_log_probabilities
        np.testing.assert_allclose(one.token_log_probabilities, other.token_log_probabilities, rtol=1e-12)
        np.testing.assert_allclose(one.attention, other.attention, rtol=1e-6)


@averages
@searches
def test_the_order_of_the_members_makes_no_difference(table_stepper, padded, search, average):
    models = [table_stepper(seed=seed) for seed in range(4)]
    expected = found_by(search, Ensemble(models, average), padded)
    found = found_by(search, Ensemble([models[place] for place in (2, 0, 3, 1)], average), padded)
    for one, other in zip(expected, found, strict=True):
        assert one.tokens == other.tokens
        assert one.score == pytest.approx(other.score, rel=1e-12)
    assert [one.tokens for one in expected] != [one.tokens for one in found_by(search, models[0], padded)]


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(max_examples=30)
def test_it_says_the_mean_of_the_members(table_stepper, seed, members):
    models = [table_stepper(seed=seed + number, scale=8.0) for number in range(members)]
    source = np.array([[5, 6]], np.int32), np.array([2], np.int32)
    tables = np.array([model.log_probabilities((5, 6), (1,)) for model in models])
    for average in ("probability", "log_probability"):
        ensemble = Ensemble(models, average)
        table, attention, _ = ensemble.step(ensemble.start(*source), np.array([1], np.int32))
        mean = np.exp(tables).mean(axis=0) if average == "probability" else np.exp(tables.mean(axis=0))
        np.testing.assert_allclose(np.exp(table[0]), mean / mean.sum(), rtol=1e-12)
        assert table.max() <= 0.0
        rows = [model.attention((5, 6), (1,)) for model in models]
        np.testing.assert_allclose(attention[0], np.mean(rows, axis=0))


def test_members_without_attention_leave_it_to_the_others_and_impossible_is_possible(table_stepper):
    class Blind(table_stepper):
        def attention(self, sentence, prefix):
            return np.zeros(len(sentence))

        def log_probabilities(self, sentence, prefix):
            return np.where(np.arange(self.vocabulary_size) == 4, 0.0, -np.inf)

    source = np.array([[5, 6]], np.int32), np.array([2], np.int32)
    for models in ([Blind(), table_stepper()], [Blind(), Blind()]):
        ensemble = Ensemble(models)
        table, attention, _ = ensemble.step(ensemble.start(*source), np.array([1], np.int32))
        assert attention.sum() == pytest.approx(1.0 if len({*map(type, models)}) > 1 else 0.0)
        assert not np.isnan(table).any() and np.exp(table).sum() == pytest.approx(1.0)


def test_what_is_no_ensemble_is_refused(table_stepper, padded):
    with pytest.raises(ConfigError, match="at least one member"):
        Ensemble([])
    with pytest.raises(ConfigError, match="unknown average 'median'; choose among: probability, log_probability"):
        Ensemble([table_stepper()], "median")
    with pytest.raises(ConfigError, match="one vocabulary; got log-probabilities of 6, 7 tokens"):
        greedy(Ensemble([table_stepper(), table_stepper(7)]), *padded(batch), longest(batch))
