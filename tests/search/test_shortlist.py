"""A shortlist's laws, over a model that is a table: a full one changes nothing, a good one not the best translation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.search import beam, greedy, sample
from diptych.search.shortlist import Shortlist, Shortlisted

SENTENCES = [[3, 5], [4], [5, 4, 3], [6, 6]]
SOURCES, SIZE, LONGEST = 7, 9, 8


def searched(stepper, source, lengths):
    longest = np.full(len(source), LONGEST, np.int32)
    yield greedy(stepper, source, lengths, longest)
    yield sample(stepper, source, lengths, longest, 0.9, 1, range(len(source)))
    yield [best for best, *_ in beam(stepper, source, lengths, longest, 3, 0.6)]


class ProjectingTable:
    """A table that leaves words out when it is told to, as a panel does."""

    def __init__(self, table):
        self.table = table

    def start(self, source, lengths):
        return self.table.start(source, lengths), None

    def restrict(self, state, words):
        return state[0], words

    def step(self, state, tokens):
        table, attention, after = self.table.step(state[0], tokens)
        chosen = table if state[1] is None else table[:, state[1]]
        return chosen - np.log(np.exp(chosen).sum(axis=1, keepdims=True)), attention, (after, state[1])

    def reorder(self, state, rows):
        return self.table.reorder(state[0], rows), state[1]


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_a_full_shortlist_changes_nothing(table_stepper, padded, same_hypotheses, seed):
    model = table_stepper(vocabulary_size=SIZE, seed=seed)
    full = Shortlist.of(SIZE, range(SIZE), [[]] * SOURCES)
    source, lengths = padded(SENTENCES)
    for ours, theirs in zip(searched(Shortlisted(model, full), source, lengths), searched(model, source, lengths)):
        assert all(map(same_hypotheses, ours, theirs))


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_one_that_holds_the_best_translation_leaves_it(table_stepper, padded, seed, data):
    model = table_stepper(vocabulary_size=SIZE, seed=seed)
    source, lengths = padded(SENTENCES)
    longest = np.full(len(source), LONGEST, np.int32)
    expected = [each.tokens for each in greedy(model, source, lengths, longest)]
    more = data.draw(st.lists(st.integers(3, SIZE - 1), max_size=3))
    lists = [[] for _ in range(SOURCES)]
    for sentence, said in zip(SENTENCES, expected):
        lists[sentence[0]] = sorted({*lists[sentence[0]], *said})
    shortlist = Shortlist.of(SIZE, more, lists)
    for stepper in (model, ProjectingTable(model)):
        found = greedy(Shortlisted(stepper, shortlist), source, lengths, longest)
        assert [each.tokens for each in found] == expected


@pytest.mark.parametrize("projects", [False, True])
def test_a_sentence_says_its_own_words_alone_whatever_the_batch(table_stepper, padded, same_hypotheses, projects):
    table = table_stepper(vocabulary_size=SIZE, seed=5)
    model = ProjectingTable(table) if projects else table
    shortlist = Shortlist.of(SIZE, [7], [[], [], [], [4], [5, 6], [8], []])
    source, lengths = padded(SENTENCES)
    for search, hypotheses in enumerate(searched(Shortlisted(model, shortlist), source, lengths)):
        for row, hypothesis in enumerate(hypotheses):
            assert set(hypothesis.tokens) <= set(shortlist.of_source(SENTENCES[row]).tolist())
            if search == 1:
                continue  # a sample belongs to its row
            alone = list(searched(Shortlisted(model, shortlist), *padded([SENTENCES[row]])))[search][0]
            assert alone.tokens == hypothesis.tokens
            np.testing.assert_allclose(alone.token_log_probabilities, hypothesis.token_log_probabilities, rtol=1e-12)


def test_what_is_listed_sums_to_one(table_stepper, padded):
    shortlisted = Shortlisted(table_stepper(vocabulary_size=SIZE), Shortlist.of(SIZE, [], [[8]] * SOURCES))
    source, lengths = padded(SENTENCES)
    table, _, _ = shortlisted.step(shortlisted.start(source, lengths), np.ones(len(source), np.int32))
    assert table.shape == (len(source), SIZE)
    assert np.flatnonzero(np.isfinite(table[0])).tolist() == [2, 3, 8]
    np.testing.assert_allclose(np.exp(table).sum(axis=1), 1.0)
