"""Every key of a search config reaches the search that it is for."""

import numpy as np
import pytest

from diptych.config import SearchConfig
from diptych.search import Constraints, beam, find, greedy, sample

BATCH, PREFIXES = [[5], [6, 7], [8, 4, 5]], ((4,), (), (6, 5))
USUAL = np.array([5, 6, 7], np.int32)


@pytest.fixture
def request_(table_stepper, padded):
    return table_stepper(vocabulary_size=9, seed=3, scale=1.0), *padded(BATCH)


@pytest.mark.parametrize("prefixes", [(), PREFIXES])
@pytest.mark.parametrize("rules", [{}, {"no_repeat_ngram": 2, "minimum_length": 2}, {"forbid_unknown": True}])
def test_each_search_gets_what_is_its_own(request_, same_hypotheses, rules, prefixes):
    constraints = Constraints(**rules, prefixes=prefixes)
    longest = np.full(3, 7, np.int32)
    for options, expected in [
        ({}, [[one] for one in greedy(*request_, longest, constraints)]),
        (
            {"temperature": 2.0, "seed": 8, "top_k": 4, "top_p": 0.9},
            [[one] for one in sample(*request_, longest, 2.0, 8, (4, 0, 9), 4, 0.9, constraints)],
        ),
        (
            {"beam_size": 4, "n_best": 3, "length_penalty": 1.5, "coverage_penalty": 2.0},
            beam(*request_, longest, 4, 1.5, 3, 2.0, constraints),
        ),
    ]:
        search = SearchConfig(maximum_length=7, **options, **rules)
        found = find(*request_, usual_lengths=USUAL, search=search, rows=(4, 0, 9), prefixes=prefixes)
        for one, other in zip(expected, found, strict=True):
            for hypothesis, same in zip(one, other, strict=True):
                assert same_hypotheses(hypothesis, same) and hypothesis.score == same.score


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"temperature": 3.0}, {"temperature": 3.0, "top_k": 2}),
        ({"temperature": 3.0}, {"temperature": 3.0, "top_p": 0.4}),
        ({"temperature": 3.0}, {"temperature": 3.0, "seed": 2}),
        ({"beam_size": 4, "n_best": 4}, {"beam_size": 4, "n_best": 4, "coverage_penalty": 5.0}),
        ({"beam_size": 4, "n_best": 4}, {"beam_size": 4, "n_best": 4, "length_penalty": 3.0}),
    ],
)
def test_each_key_makes_a_difference_here(request_, one, other):
    first, second = (
        [
            hypothesis.tokens
            for found in find(*request_, usual_lengths=USUAL, search=SearchConfig(**search), rows=range(3))
            for hypothesis in found
        ]
        for search in (one, other)
    )
    assert first != second


def test_only_a_limit_that_nobody_set_makes_room(request_):
    stepper, *source = request_
    never = type(stepper)(vocabulary_size=9)
    table = never.log_probabilities
    never.log_probabilities = lambda *row: np.where(np.arange(9) == 2, -90.0, table(*row))
    lengths = [
        [
            len(found.tokens)
            for (found,) in find(never, *source, usual_lengths=USUAL, search=search, rows=range(3), prefixes=prefixes)
        ]
        for search, prefixes in [
            (SearchConfig(), ()),
            (SearchConfig(), ((4,) * 9, (), ())),
            (SearchConfig(minimum_length=6), ()),
            (SearchConfig(maximum_length=4, minimum_length=3), ((4,) * 3, (), ())),
        ]
    ]
    assert lengths == [[5, 6, 7], [20, 11, 11], [17, 17, 17], [4, 4, 4]]
