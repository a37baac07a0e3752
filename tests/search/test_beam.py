"""Beam search: greedy at width one, exact when wide enough, never stopped too early."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.errors import CheckpointError, ConfigError
from diptych.search import beam, greedy

EOS = 2
sentences = st.lists(st.lists(st.integers(3, 9), min_size=1, max_size=4), min_size=1, max_size=5)
exponents = st.sampled_from([0.0, 0.6, 1.0, 2.5])


def longest(batch, length=7):
    return np.full(len(batch), length, np.int32)


def scored(translations, exponent):
    """Ended ones first, each kind by score."""
    keyed = [
        (tokens[-1] != EOS, -value / ((5 + len(tokens)) / 6) ** exponent, tokens) for tokens, value in translations
    ]
    return [(tokens, -score) for _, score, tokens in sorted(keyed)]


@given(sentences, st.integers(0, 1000), st.sampled_from([None, 1]), exponents, st.data())
@settings(max_examples=60)
def test_a_beam_of_one_is_greedy(table_stepper, padded, same_hypotheses, batch, seed, levels, exponent, data):
    maximum_lengths = np.array([data.draw(st.integers(1, 8)) for _ in batch], np.int32)
    model = table_stepper(seed=seed, levels=levels, dtype=np.float32)
    expected = greedy(model, *padded(batch), maximum_lengths)
    found = beam(model, *padded(batch), maximum_lengths, size=1, length_penalty=exponent)
    for one, (other,) in zip(expected, found, strict=True):
        assert same_hypotheses(one, other)


@given(sentences, st.integers(0, 1000), exponents, st.integers(1, 4))
@settings(max_examples=25)
def test_as_wide_as_the_space_it_finds_the_n_best(table_stepper, padded, batch, seed, exponent, maximum):
    model = table_stepper(vocabulary_size=5, seed=seed)
    size = sum(2**length for length in range(maximum + 1))
    found = beam(model, *padded(batch), longest(batch, maximum), size, exponent, n_best=size)
    for sentence, hypotheses in zip(batch, found, strict=True):
        expected = scored(model.every_translation(tuple(sentence), maximum), exponent)
        assert [hypothesis.tokens for hypothesis in hypotheses] == [tokens for tokens, _ in expected]
        np.testing.assert_allclose(
            [hypothesis.score for hypothesis in hypotheses], [score for _, score in expected], rtol=1e-12
        )


def plain_beam(model, sentence, maximum_length, size, exponent):
    """The same search for one sentence, in lists, with no stopping early."""
    prefixes, found = [((), 0.0)], []
    while prefixes:
        extensions = []
        for prefix, total in prefixes:
            row = model.log_probabilities(sentence, (1, *prefix))
            extensions += [((*prefix, token), total + row[token]) for token in range(2, len(row))]
        extensions.sort(key=lambda extension: -extension[1])
        kept = extensions[: size - sum(tokens[-1] == EOS for tokens, _ in found)]
        over = [extension for extension in kept if extension[0][-1] == EOS or len(extension[0]) == maximum_length]
        prefixes = [extension for extension in kept if extension not in over]
        found += over
    return scored(found, exponent)


@given(sentences, st.integers(0, 1000), exponents, st.integers(1, 6), st.integers(1, 7))
@settings(max_examples=60)
def test_equals_a_plain_beam_sentence_by_sentence(table_stepper, padded, batch, seed, exponent, size, maximum):
    model = table_stepper(vocabulary_size=8, seed=seed)
    for sentence, hypotheses in zip(
        batch, beam(model, *padded(batch), longest(batch, maximum), size, exponent, size), strict=True
    ):
        expected = plain_beam(model, tuple(sentence), maximum, size, exponent)
        assert [hypothesis.tokens for hypothesis in hypotheses] == [tokens for tokens, _ in expected][:size]


@given(sentences, st.integers(0, 1000), exponents, st.integers(2, 6), st.data())
@settings(max_examples=60)
def test_stopping_early_changes_nothing(table_stepper, padded, same_hypotheses, batch, seed, exponent, size, data):
    n_best = data.draw(st.integers(1, size))
    stopping, going_on = (table_stepper(vocabulary_size=7, seed=seed) for _ in range(2))
    few = beam(stopping, *padded(batch), longest(batch), size, exponent, n_best)
    # With as many wanted as the beam is wide, nothing stops a sentence before its beam is used up.
    every = beam(going_on, *padded(batch), longest(batch), size, exponent, size)
    for some, more in zip(few, every, strict=True):
        assert len(some) == n_best
        for one, other in zip(some, more, strict=False):
            assert same_hypotheses(one, other) and one.score == other.score
    assert sum(stopping.rows_per_step) <= sum(going_on.rows_per_step)


def test_it_does_stop_early(table_stepper, padded):
    class Decided(table_stepper):
        """Says eos at once, nearly certain of it."""

        def log_probabilities(self, sentence, prefix):
            return np.where(np.arange(self.vocabulary_size) == EOS, -0.01, -5.0)

    model = Decided()
    ((best,),) = beam(model, *padded([[5, 6]]), np.array([50], np.int32), size=4, length_penalty=0.6)
    assert best.tokens == (EOS,)
    assert model.rows_per_step == [1]


@given(sentences, st.integers(0, 1000), exponents, st.integers(1, 6))
@settings(max_examples=40)
def test_a_sentence_does_not_depend_on_its_batch(table_stepper, padded, same_hypotheses, batch, seed, exponent, size):
    model = table_stepper(vocabulary_size=7, seed=seed, dtype=np.float32)
    together = beam(model, *padded(batch), longest(batch), size, exponent, size)
    for sentence, found in zip(batch, together, strict=True):
        (alone,) = beam(model, *padded([sentence]), longest([0]), size, exponent, size)
        assert len(found) == len(alone)
        for one, other in zip(found, alone, strict=True):
            assert same_hypotheses(one, other) and one.score == other.score


@given(sentences, st.integers(0, 1000), exponents, st.integers(2, 6))
@settings(max_examples=40)
def test_a_hypothesis_is_what_the_model_says_of_its_tokens(table_stepper, padded, batch, seed, exponent, size):
    model = table_stepper(vocabulary_size=7, seed=seed)
    for sentence, found in zip(batch, beam(model, *padded(batch), longest(batch), size, exponent, size), strict=True):
        sentence = tuple(sentence)
        assert len({hypothesis.tokens for hypothesis in found}) == len(found)
        for hypothesis in found:
            prefixes = [(1, *hypothesis.tokens[:place]) for place in range(len(hypothesis.tokens))]
            values = [
                model.log_probabilities(sentence, prefix)[token]
                for prefix, token in zip(prefixes, hypothesis.tokens, strict=True)
            ]
            assert hypothesis.token_log_probabilities == tuple(values)
            attention = np.array([model.attention(sentence, prefix) for prefix in prefixes], np.float32)
            assert np.array_equal(hypothesis.attention, attention)
            assert hypothesis.tokens[:-1].count(EOS) == 0 and min(hypothesis.tokens) >= EOS
        order = [(not hypothesis.ended, -hypothesis.score) for hypothesis in found]
        assert order == sorted(order)


def test_the_beam_narrows_as_hypotheses_end_and_sentences_leave(table_stepper, padded):
    model = table_stepper(vocabulary_size=8, seed=11, scale=2.5)
    batch = [[token, other] for token in range(3, 7) for other in range(3, 6)]
    found = beam(model, *padded(batch), longest(batch, 40), size=3, length_penalty=0.0, n_best=3)
    lengths = [len(hypothesis.tokens) for hypotheses in found for hypothesis in hypotheses]
    assert all(hypothesis.ended for hypotheses in found for hypothesis in hypotheses) and len(set(lengths)) > 3
    prefixes = [sum(length > step for length in lengths) for step in range(1, max(lengths))]
    assert model.rows_per_step == [len(batch), *prefixes]


def test_a_longer_translation_wins_only_with_a_length_penalty(table_stepper, padded):
    class Choice(table_stepper):
        """Either eos now at -1.0, or a word at -0.5 twice and eos at -0.2: -1.2 in three tokens."""

        def log_probabilities(self, sentence, prefix):
            row = np.full(self.vocabulary_size, -30.0)
            row[EOS] = {1: -1.0, 2: -30.0, 3: -0.2}.get(len(prefix), -30.0)
            row[3] = -0.5
            return row

    for exponent, tokens in ((0.0, (EOS,)), (1.0, (3, 3, EOS))):
        ((best,),) = beam(Choice(), *padded([[5]]), np.array([6], np.int32), size=2, length_penalty=exponent)
        assert best.tokens == tokens
        assert best.score == pytest.approx(-1.0 if exponent == 0.0 else -1.2 / (8 / 6))


def test_one_that_ended_ranks_before_one_that_was_cut_off(table_stepper, padded):
    class Babbler(table_stepper):
        """Always sure of word 3, hardly ever of eos."""

        def log_probabilities(self, sentence, prefix):
            return np.array([-50.0, -50.0, -6.0, -0.001, -40.0, -40.0])

    ((best, second),) = beam(Babbler(), *padded([[5]]), np.array([4], np.int32), size=2, length_penalty=1.0, n_best=2)
    assert best.ended and best.tokens[-1] == EOS
    assert second.tokens == (3, 3, 3, 3) and not second.ended
    assert second.score > best.score


def test_no_sentences_no_search(table_stepper, padded):
    assert beam(table_stepper(), *padded([]), np.array([], np.int32), size=3) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "got size 0 and n_best 1"),
        ({"size": 2, "n_best": 3}, "got size 2 and n_best 3"),
        ({"size": 2, "n_best": 0}, "got size 2 and n_best 0"),
        ({"size": 2, "length_penalty": -0.5}, "from 0 on, got -0.5"),
        ({"size": 2, "length_penalty": float("nan")}, "from 0 on, got nan"),
    ],
)
def test_impossible_sizes_are_refused(table_stepper, padded, options, message):
    with pytest.raises(ConfigError, match=message):
        beam(table_stepper(), *padded([[5]]), np.array([4], np.int32), **options)


def test_a_diverged_model_is_an_error(table_stepper, padded):
    class Diverged(table_stepper):
        def log_probabilities(self, sentence, prefix):
            row = super().log_probabilities(sentence, prefix)
            row[4] = np.nan
            return row

    with pytest.raises(CheckpointError, match="diverged"):
        beam(Diverged(), *padded([[5]]), np.array([4], np.int32), size=2)
