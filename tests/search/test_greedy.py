"""Greedy search: the most probable token, row by row, whatever the batch."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.errors import CheckpointError, ConfigError
from diptych.search import greedy

EOS = 2
sentences = st.lists(st.lists(st.integers(3, 9), min_size=1, max_size=5), min_size=1, max_size=6)


def most_probable_by_hand(model, sentence, maximum_length):
    tokens, values = [], []
    while len(tokens) < maximum_length and EOS not in tokens:
        row = model.log_probabilities(tuple(sentence), (1, *tokens))
        best = max(range(2, len(row)), key=lambda token: (row[token], -token))
        tokens.append(best)
        values.append(float(row[best]))
    return tuple(tokens), values


@given(sentences, st.integers(0, 1000), st.sampled_from([None, 1]), st.data())
@settings(max_examples=60)
def test_takes_the_most_probable_token_and_of_ties_the_lowest(table_stepper, padded, batch, seed, levels, data):
    maximum_lengths = np.array([data.draw(st.integers(1, 8)) for _ in batch], np.int32)
    model = table_stepper(seed=seed, levels=levels, dtype=np.float32)
    for sentence, maximum, found in zip(
        batch, maximum_lengths, greedy(model, *padded(batch), maximum_lengths), strict=True
    ):
        tokens, values = most_probable_by_hand(model, sentence, maximum)
        assert found.tokens == tokens
        assert found.token_log_probabilities == tuple(values)
        assert found.log_probability == found.score == math.fsum(values)
        assert found.ended == (tokens[-1] == EOS)
        assert found.attention.shape == (len(tokens), len(sentence))
        assert found.attention.dtype == np.float32
        np.testing.assert_allclose(found.attention.sum(axis=1), 1.0, rtol=1e-6)
        expected = [model.attention(tuple(sentence), (1, *tokens[:place])) for place in range(len(tokens))]
        assert np.array_equal(found.attention, np.array(expected, np.float32))


@given(sentences, st.integers(0, 1000))
@settings(max_examples=40)
def test_a_sentence_does_not_depend_on_its_batch(table_stepper, padded, same_hypotheses, batch, seed):
    model = table_stepper(seed=seed)
    together = greedy(model, *padded(batch), np.full(len(batch), 9, np.int32))
    for sentence, found in zip(batch, together, strict=True):
        (alone,) = greedy(model, *padded([sentence]), np.array([9], np.int32))
        assert same_hypotheses(found, alone)


def test_pad_and_bos_are_never_said_however_probable(table_stepper, padded):
    class Padder(table_stepper):
        def log_probabilities(self, sentence, prefix):
            row = super().log_probabilities(sentence, prefix) - 20.0
            row[:2] = -1e-9
            return row

    (found,) = greedy(Padder(seed=3), *padded([[5, 6]]), np.array([12], np.int32))
    assert min(found.tokens) >= EOS
    assert all(value < -15.0 for value in found.token_log_probabilities), "log-probabilities are the model's own"


def test_finished_sentences_leave_the_batch(table_stepper, padded):
    model = table_stepper(seed=5, vocabulary_size=5)
    batch = [[token, other] for token in range(3, 8) for other in range(3, 6)]
    found = greedy(model, *padded(batch), np.full(len(batch), 20, np.int32))
    lengths = [len(hypothesis.tokens) for hypothesis in found]
    assert len(set(lengths)) > 2
    assert model.rows_per_step == [sum(length > step for length in lengths) for step in range(max(lengths))]


def test_no_sentences_no_search(table_stepper, padded):
    model = table_stepper()
    assert greedy(model, *padded([]), np.array([], np.int32)) == []
    assert model.rows_per_step == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_diverged_model_is_an_error(table_stepper, padded, value):
    class Diverged(table_stepper):
        def log_probabilities(self, sentence, prefix):
            return np.full(self.vocabulary_size, value)

    with pytest.raises(CheckpointError, match="diverged"):
        greedy(Diverged(), *padded([[5]]), np.array([4], np.int32))


@pytest.mark.parametrize(
    ("source", "lengths", "maximum_lengths", "message"),
    [
        ([[5, 6]], [2], [0], "give 1 or more, got 0"),
        ([[5, 6]], [3], [4], "from 1 to 2, the padded source's length; got 3 to 3"),
        ([[5, 6]], [0], [4], "got 0 to 0"),
        ([[5, 6]], [2, 2], [4], r"got the shapes \(1, 2\), \(2,\) and \(1,\)"),
        ([5, 6], [2], [4], "takes sources"),
    ],
)
def test_what_cannot_be_searched_is_refused(table_stepper, source, lengths, maximum_lengths, message):
    with pytest.raises(ConfigError, match=message):
        greedy(table_stepper(), *(np.array(array, np.int32) for array in (source, lengths, maximum_lengths)))
