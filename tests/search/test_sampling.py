"""Sampling: fair draws, which belong to a sentence and not to its batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.errors import CheckpointError, ConfigError
from diptych.search import greedy, sample
from diptych.search.sampling import keep_top

sentences = st.lists(st.lists(st.integers(3, 9), min_size=1, max_size=5), min_size=1, max_size=6)


def longest(batch, length=9):
    return np.full(len(batch), length, np.int32)


@given(sentences, st.integers(0, 1000), st.permutations(range(6)), st.floats(0.1, 5.0))
@settings(max_examples=40)
def test_a_sample_belongs_to_its_row_and_not_to_its_batch(
    table_stepper, padded, same_hypotheses, batch, seed, rows, temperature
):
    rows = rows[: len(batch)]
    model = table_stepper(seed=4, dtype=np.float32)
    together = sample(model, *padded(batch), longest(batch), temperature, seed, rows)
    for sentence, row, found in zip(batch, rows, together, strict=True):
        (alone,) = sample(model, *padded([sentence]), longest([0]), temperature, seed, [row])
        assert same_hypotheses(found, alone)


def test_rows_and_seeds_draw_differently(table_stepper, padded):
    batch = [[5, 6, 7]] * 40
    found = [
        [
            hypothesis.tokens
            for hypothesis in sample(table_stepper(), *padded(batch), longest(batch), 1.0, seed, range(40))
        ]
        for seed in (1, 2, 1)
    ]
    assert found[0] == found[2] != found[1]
    assert len(set(found[0])) > 10


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_tempered_distribution_without_pad_and_bos(table_stepper, padded, temperature):
    draws = 4000
    model = table_stepper(seed=8, scale=1.0)
    batch = [[5]] * draws
    found = sample(model, *padded(batch), longest(batch, 1), temperature, 3, range(draws))
    counts = np.bincount([hypothesis.tokens[0] for hypothesis in found], minlength=model.vocabulary_size)
    values = model.log_probabilities((5,), (1,))
    expected = np.exp(values / temperature)
    expected[:2] = 0.0
    expected *= draws / expected.sum()
    assert counts[:2].sum() == 0
    chi_square = ((counts[2:] - expected[2:]) ** 2 / expected[2:]).sum()
    assert chi_square < 16.3  # three degrees of freedom, one in a thousand
    for hypothesis in found[:20]:
        assert hypothesis.log_probability == values[hypothesis.tokens[0]], "the model's own, at temperature 1"


def test_every_step_draws_anew(table_stepper, padded):
    class Uniform(table_stepper):
        def log_probabilities(self, sentence, prefix):
            return np.full(self.vocabulary_size, -np.log(self.vocabulary_size))

    (found,) = sample(Uniform(vocabulary_size=100), *padded([[5]]), longest([0], 10), 1.0, 2, [0])
    assert len(set(found.tokens)) > 5


@pytest.mark.parametrize("temperature", [1e-9, 5e-324])
def test_near_zero_it_is_greedy(table_stepper, padded, same_hypotheses, temperature):
    batch = [[token, token + 1] for token in range(3, 12)]
    found = sample(table_stepper(), *padded(batch), longest(batch), temperature, 1, range(len(batch)))
    for one, other in zip(found, greedy(table_stepper(), *padded(batch), longest(batch)), strict=True):
        assert same_hypotheses(one, other)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_must_be_above_zero(table_stepper, padded, temperature):
    with pytest.raises(ConfigError, match="a number above 0, got .*use greedy"):
        sample(table_stepper(), *padded([[5]]), longest([0]), temperature, 1, [0])


def test_each_sentence_has_a_row_number(table_stepper, padded):
    with pytest.raises(ConfigError, match="got 1 for 2 sentences"):
        sample(table_stepper(), *padded([[5], [6]]), longest([0, 0]), 1.0, 1, [0])


def test_a_diverged_model_is_an_error(table_stepper, padded):
    class Diverged(table_stepper):
        def log_probabilities(self, sentence, prefix):
            return np.full(self.vocabulary_size, np.nan)

    with pytest.raises(CheckpointError, match="diverged"):
        sample(Diverged(), *padded([[5]]), longest([0]), 1.0, 1, [0])


def truncated(values, temperature, top_k, top_p):
    """The distribution from which a token is drawn, by the definition, one token after the other."""
    probabilities = {token: np.exp(value / temperature) for token, value in enumerate(values) if token >= 2}
    order = sorted(probabilities, key=lambda token: (-probabilities[token], token))
    order = order[:top_k] if top_k else order
    total, kept, together = sum(probabilities[token] for token in order), [], 0.0
    for token in order:
        if together >= top_p * total:
            break
        kept.append(token)
        together += probabilities[token]
    return {token: probabilities[token] / together for token in kept}


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 3, 1.0), (0.7, 0, 0.8), (2.0, 5, 0.6), (1.0, 1, 1.0), (1.5, 99, 0.95)]
)
def test_draws_follow_the_truncated_distribution(table_stepper, padded, temperature, top_k, top_p):
    draws = 3000
    model = table_stepper(vocabulary_size=10, seed=8, scale=1.0)
    batch = [[5]] * draws
    found = sample(model, *padded(batch), longest(batch, 1), temperature, 3, range(draws), top_k, top_p)
    expected = truncated(model.log_probabilities((5,), (1,)), temperature, top_k, top_p)
    counts = np.bincount([hypothesis.tokens[0] for hypothesis in found], minlength=model.vocabulary_size)
    assert set(np.flatnonzero(counts)) == set(expected)
    chi_square = sum((counts[token] - draws * share) ** 2 / (draws * share) for token, share in expected.items())
    assert chi_square < {1: 0.001, 2: 10.8, 3: 13.8, 4: 16.3}.get(len(expected), 24.3)  # one in a thousand


@given(st.lists(st.integers(-6, 0), min_size=1, max_size=12), st.integers(0, 13), st.floats(0.01, 1.0), st.booleans())
@settings(max_examples=200)
def test_the_top_is_what_the_definition_says_ties_by_the_lowest_id(values, top_k, top_p, fine):
    choices = np.array(values, float) / (7.0 if fine else 1.0)
    choices -= choices.max()
    found = choices.copy()
    keep_top(found, top_k, top_p)
    kept = np.flatnonzero(found > -np.inf)
    assert np.array_equal(found[kept], choices[kept])
    order = np.argsort(-choices, kind="stable")
    assert sorted(order[: len(kept)]) == list(kept), "the most probable ones, of equals the first"
    among = order[: top_k or None]
    shares = np.exp(choices[among]) / np.exp(choices[among]).sum()
    assert shares[: len(kept)].sum() >= top_p - 1e-9, "enough"
    assert shares[: len(kept) - 1].sum() < top_p + 1e-9, "and no more than needed"
    if top_p == 1.0:
        assert len(kept) == len(among)


def test_the_top_one_is_greedy(table_stepper, padded, same_hypotheses):
    batch = [[token, token + 1] for token in range(3, 12)]
    for top in ((1, 1.0), (0, 1e-9)):
        model = table_stepper(levels=1)
        found = sample(model, *padded(batch), longest(batch), 3.0, 1, range(len(batch)), *top)
        for one, other in zip(found, greedy(model, *padded(batch), longest(batch)), strict=True):
            assert same_hypotheses(one, other)


@pytest.mark.parametrize("top", [(-1, 1.0), (0, 0.0), (0, 1.1), (0, float("nan"))])
def test_a_top_that_cannot_be_is_refused(table_stepper, padded, top):
    with pytest.raises(ConfigError, match="top_k from 0 on and top_p above 0 up to 1"):
        sample(table_stepper(), *padded([[5]]), longest([0]), 1.0, 1, [0], *top)
