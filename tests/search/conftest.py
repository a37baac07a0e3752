"""A language model that is a table: random, deterministic, and small enough to be searched in full."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

EOS = 2


class TableStepper:
    """A stepper whose log-probabilities follow from a seed, a sentence and a prefix, and from nothing else.

    Its state holds a sentence and a prefix per row, and it notes how many rows each step had.
    """

    def __init__(self, vocabulary_size=6, seed=0, scale=1.5, dtype=np.float64, levels=None):
        self.vocabulary_size, self.seed, self.scale, self.dtype, self.levels = (
            vocabulary_size,
            seed,
            scale,
            dtype,
            levels,
        )
        self.rows_per_step = []

    def log_probabilities(self, sentence, prefix):
        random = np.random.default_rng([self.seed, len(sentence), *sentence, *prefix])
        logits = self.scale * random.standard_normal(self.vocabulary_size)
        if self.levels:  # few different values: many ties
            logits = np.round(logits * self.levels) / self.levels
        return (logits - np.log(np.exp(logits).sum())).astype(self.dtype)

    def attention(self, sentence, prefix):
        return np.random.default_rng([self.seed, 7, *sentence, *prefix]).dirichlet(np.ones(len(sentence)))

    def start(self, source, source_lengths):
        self.width = source.shape[1]
        return [(tuple(map(int, row[:length])), ()) for row, length in zip(source, source_lengths, strict=True)]

    def step(self, state, tokens):
        assert tokens.dtype == np.int32 and tokens.shape == (len(state),) and len(state) > 0
        self.rows_per_step.append(len(state))
        state = [(sentence, (*prefix, int(token))) for (sentence, prefix), token in zip(state, tokens, strict=True)]
        table = np.array([self.log_probabilities(*row) for row in state])
        attention = np.zeros((len(state), self.width))
        for row, (sentence, prefix) in enumerate(state):
            attention[row, : len(sentence)] = self.attention(sentence, prefix)
        table.flags.writeable = attention.flags.writeable = False  # a search must leave a panel's arrays alone
        return table, attention, state

    def reorder(self, state, rows):
        return [state[row] for row in rows]

    def every_translation(self, sentence, maximum_length):
        """All translations that end, and all that are cut off: each with its log-probability."""
        choices = range(3, self.vocabulary_size)
        for length in range(maximum_length + 1):
            for words in product(choices, repeat=length):
                tokens = (*words, EOS) if length < maximum_length else words
                values = [
                    self.log_probabilities(sentence, (1, *tokens[:place]))[token] for place, token in enumerate(tokens)
                ]
                yield tokens, float(sum(values))


@pytest.fixture(scope="session")
def table_stepper():
    """The class itself."""
    return TableStepper


def pad(sentences):
    lengths = np.array([len(sentence) for sentence in sentences], np.int32)
    source = np.zeros((len(sentences), max(lengths, default=1)), np.int32)
    for row, sentence in enumerate(sentences):
        source[row, : len(sentence)] = sentence
    return source, lengths


@pytest.fixture(scope="session")
def padded():
    """From lists of ids to a padded source and its lengths."""
    return pad


@pytest.fixture(scope="session")
def same_hypotheses():
    """Whether two hypotheses are the same to the bit, their scores apart."""

    def same(one, other):
        return (
            one.tokens == other.tokens
            and one.token_log_probabilities == other.token_log_probabilities
            and one.log_probability == other.log_probability
            and np.array_equal(one.attention, other.attention)
        )

    return same
