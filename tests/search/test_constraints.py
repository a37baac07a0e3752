"""Constraints: every search keeps to them, a wide beam finds the best that does, and the scores stay the model's."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diptych.errors import CheckpointError, ConfigError
from diptych.search import Constraints, beam, greedy, sample

EOS, UNK = 2, 3
SENTENCE = (5, 7)
settings_of = {
    "no_repeat_ngram": st.integers(0, 3),
    "minimum_length": st.integers(0, 3),
    "forbid_unknown": st.booleans(),
}


def longest(batch, length=6):
    return np.full(len(batch), length, np.int32)


def ngrams(tokens, size):
    return [tuple(tokens[start : start + size]) for start in range(len(tokens) - size + 1)] if size else []


def allowed(tokens, no_repeat_ngram=0, minimum_length=0, forbid_unknown=False, prefix=()):
    """Whether a translation keeps to the constraints, as a reader of their description would check it."""
    words = tokens[:-1] if tokens[-1] == EOS else tokens
    found = ngrams(words, no_repeat_ngram)
    return (
        len(words) >= minimum_length
        and len(set(found)) == len(found)
        and not (forbid_unknown and UNK in words)
        and tuple(words[: len(prefix)]) == tuple(prefix)
    )


@st.composite
def constraints_and_prefixes(draw, sentences=1, words=(4, 5, 6)):
    """Constraints that can be kept to, and as keyword arguments of `allowed` for each sentence."""
    values = {name: draw(strategy) for name, strategy in settings_of.items()}
    if values["no_repeat_ngram"] == 1:
        values["minimum_length"] = min(values["minimum_length"], 2)
    prefixes = [tuple(draw(st.lists(st.sampled_from(words), max_size=2))) for _ in range(sentences)]
    for prefix in prefixes:
        found = ngrams(prefix, values["no_repeat_ngram"])
        assume(len(set(found)) == len(found))
    return Constraints(**values, prefixes=tuple(prefixes)), [values | {"prefix": prefix} for prefix in prefixes]


@given(constraints_and_prefixes(), st.integers(0, 1000), st.sampled_from([0.0, 0.6, 2.5]))
@settings(max_examples=40)
def test_a_wide_beam_finds_the_best_that_is_allowed(table_stepper, padded, drawn, seed, exponent):
    constraints, (rules,) = drawn
    maximum = 4
    model = table_stepper(vocabulary_size=7, seed=seed)
    every = [
        (tokens[-1] != EOS, -value / ((5 + len(tokens)) / 6) ** exponent, tokens)
        for tokens, value in model.every_translation(SENTENCE, maximum)
        if allowed(tokens, **rules)
    ]
    every.sort()
    request = *padded([SENTENCE]), longest([0], maximum)
    (found,) = beam(model, *request, size=400, length_penalty=exponent, n_best=400, constraints=constraints)
    assert [hypothesis.tokens for hypothesis in found] == [tokens for *_, tokens in every]
    np.testing.assert_allclose([hypothesis.score for hypothesis in found], [-score for _, score, _ in every])


@given(constraints_and_prefixes(sentences=3), st.integers(0, 1000), st.sampled_from([None, 1]))
@settings(max_examples=40)
def test_a_beam_of_one_is_greedy(table_stepper, padded, same_hypotheses, drawn, seed, levels):
    constraints, _ = drawn
    batch = [[5], [6, 7], [8, 4, 5]]
    model = table_stepper(vocabulary_size=7, seed=seed, levels=levels, dtype=np.float32)
    request = *padded(batch), longest(batch)
    for one, (other,) in zip(
        greedy(model, *request, constraints), beam(model, *request, 1, constraints=constraints), strict=True
    ):
        assert same_hypotheses(one, other)


@given(constraints_and_prefixes(sentences=3), st.integers(0, 1000), st.sampled_from(["greedy", "sample", "beam"]))
@settings(max_examples=60)
def test_every_search_keeps_to_them_and_says_what_the_model_said(table_stepper, padded, drawn, seed, search):
    constraints, rules = drawn
    batch = [[5], [6, 7], [8, 4, 5]]
    model = table_stepper(vocabulary_size=7, seed=seed)
    request = *padded(batch), longest(batch)
    found = {
        "greedy": lambda: [[one] for one in greedy(model, *request, constraints)],
        "sample": lambda: [
            [one] for one in sample(model, *request, 2.0, seed, range(3), top_p=0.8, constraints=constraints)
        ],
        "beam": lambda: beam(model, *request, 3, n_best=3, constraints=constraints),
    }[search]()
    for sentence, hypotheses, rule in zip(batch, found, rules, strict=True):
        for hypothesis in hypotheses:
            assert allowed(hypothesis.tokens, **rule)
            values = [
                model.log_probabilities(tuple(sentence), (1, *hypothesis.tokens[:place]))[token]
                for place, token in enumerate(hypothesis.tokens)
            ]
            assert hypothesis.token_log_probabilities == tuple(values)


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_leaves_a_prefix_that_cannot_go_on(table_stepper, padded, seed):
    """After 4 5 4 4 nothing may follow; 4 4 5 5 4 and three more may end."""
    rules = {"no_repeat_ngram": 2, "minimum_length": 5, "forbid_unknown": True}
    model = table_stepper(vocabulary_size=6, seed=seed)
    every = [
        (value, tokens)
        for tokens, value in model.every_translation(SENTENCE, 6)
        if tokens[-1] == EOS and allowed(tokens, **rules)
    ]
    # With a neighbour that has more to choose from: its prefixes are its own.
    (found, _) = beam(
        model, *padded([SENTENCE, (5,)]), longest([0, 0], 6), 50, 0.0, 50, constraints=Constraints(**rules)
    )
    assert [one.tokens for one in found if one.ended] == [tokens for _, tokens in sorted(every, reverse=True)]
    assert len(every) == 4


@given(
    st.lists(st.lists(st.integers(3, 6), min_size=6, max_size=6), min_size=1, max_size=4),
    st.integers(0, 6),
    st.fixed_dictionaries(settings_of),
)
@settings(max_examples=150)
def test_what_is_masked_is_what_may_not_follow(rows, length, rules):
    said = np.array(rows, np.int32)[:, :length]
    table = np.arange(len(said) * 9, dtype=np.float32).reshape(-1, 9) - 99.0
    before = table.copy()
    masked = Constraints(**rules).mask(table, said, np.arange(len(said)))
    assert np.array_equal(table, before)
    size = rules["no_repeat_ngram"]
    for words, found in zip(said.tolist(), masked, strict=True):
        for token in range(EOS, 9):
            repeats = size > 0 and ngrams([*words, token], size)[-1:] and (
                ngrams([*words, token], size)[-1] in ngrams(words, size)
            )  # fmt: skip
            early = token == EOS and len(words) < rules["minimum_length"]
            unknown = token == UNK and rules["forbid_unknown"]
            assert (found[token] == -np.inf) == bool(repeats or early or unknown)
    assert np.array_equal(masked[masked > -np.inf], table[masked > -np.inf])


def test_greedy_takes_the_best_of_what_is_left(table_stepper, padded):
    class Stutterer(table_stepper):
        """Would say word 4 for ever, then 5, then eos, then unk."""

        def log_probabilities(self, sentence, prefix):
            return np.array([-90.0, -90.0, -3.0, -4.0, -0.1, -2.5, -9.0])

    def says(**rules):
        return greedy(Stutterer(), *padded([[5]]), longest([0], 5), Constraints(**rules))[0].tokens

    assert says() == (4, 4, 4, 4, 4)
    assert says(no_repeat_ngram=1) == (4, 5, EOS)
    assert says(no_repeat_ngram=1, minimum_length=3) == (4, 5, UNK, EOS)
    assert says(no_repeat_ngram=1, minimum_length=3, forbid_unknown=True) == (4, 5, 6, EOS)
    assert says(no_repeat_ngram=2) == (4, 4, 5, 4, EOS)
    assert says(prefixes=((6, 5),), no_repeat_ngram=1) == (6, 5, 4, EOS)


@given(st.integers(0, 1000), st.integers(0, 6), st.integers(1, 4))
@settings(max_examples=40)
def test_a_prefix_of_what_greedy_says_anyway_changes_nothing(table_stepper, padded, same_hypotheses, seed, cut, length):
    model = table_stepper(seed=seed)
    request = *padded([SENTENCE]), longest([0], length + 1)
    (free,) = greedy(model, *request)
    words = tuple(token for token in free.tokens if token != EOS)[: min(cut, length)]
    (forced,) = greedy(model, *request, Constraints(prefixes=(words,)))
    assert same_hypotheses(free, forced)


def test_each_sentence_has_its_own_prefix_in_whatever_batch(table_stepper, padded, same_hypotheses):
    batch = [[5], [6, 7], [8, 4, 5], [4]]
    prefixes = ((4,), (), (5, 4, 3), (3,))
    model = table_stepper(seed=3, dtype=np.float32)
    together = beam(model, *padded(batch), longest(batch), 3, constraints=Constraints(prefixes=prefixes))
    for sentence, prefix, (found,) in zip(batch, prefixes, together, strict=True):
        ((alone,),) = beam(model, *padded([sentence]), longest([0]), 3, constraints=Constraints(prefixes=(prefix,)))
        assert same_hypotheses(found, alone) and found.tokens[: len(prefix)] == prefix


def test_without_any_nothing_is_masked(table_stepper, padded, same_hypotheses, monkeypatch):
    assert not Constraints() and not Constraints(prefixes=((), ()))
    monkeypatch.setattr(Constraints, "mask", None)
    batch = [[5], [6]]
    greedy(table_stepper(), *padded(batch), longest(batch), Constraints())
    beam(table_stepper(), *padded(batch), longest(batch), 2, constraints=Constraints(prefixes=((), ())))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"no_repeat_ngram": -1}, "no_repeat_ngram is a number from 0 on, got -1"),
        ({"minimum_length": -2}, "minimum_length is a number from 0 on, got -2"),
        ({"prefixes": ((4, EOS),)}, r"a prefix holds no pad, bos or eos; got the ids \[4, 2\]"),
        ({"prefixes": ((UNK,),), "forbid_unknown": True}, "nor unk where forbid_unknown is set"),
        ({"prefixes": ((4, 5, 4, 5),), "no_repeat_ngram": 2}, r"prefix and no_repeat_ngram = 2 .* the ids \[4, 5\]"),
        ({"prefixes": ((4,), (5,))}, "one prefix per sentence: got 2 for 1"),
        ({"prefixes": ((4, 5, 6, 4, 5, 6),)}, "maximum_length 6 has no room for .* a prefix of 6 .*: set .* to 7 or"),
        ({"minimum_length": 6}, "maximum_length 6 has no room for minimum_length 6"),
        ({"minimum_length": 5, "no_repeat_ngram": 1, "forbid_unknown": True}, "after 3 tokens nothing is left to say"),
    ],
)
@pytest.mark.parametrize("search", [greedy, lambda *request: beam(*request[:4], 1, constraints=request[4])])
def test_what_cannot_be_kept_to_is_refused(table_stepper, padded, rules, message, search):
    with pytest.raises(ConfigError, match=message):
        search(table_stepper(vocabulary_size=7), *padded([[5]]), longest([0]), Constraints(**rules))


def test_a_diverged_model_is_not_taken_for_a_dead_end(table_stepper, padded):
    class Diverged(table_stepper):
        def log_probabilities(self, sentence, prefix):
            return np.full(self.vocabulary_size, np.nan)

    with pytest.raises(CheckpointError, match="diverged"):
        greedy(Diverged(), *padded([[5]]), longest([0]), Constraints(minimum_length=2))
