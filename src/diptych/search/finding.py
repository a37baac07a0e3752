"""The search that a config asks for: greedy, sampling or a beam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diptych.config import SearchConfig
from diptych.search.beam import beam
from diptych.search.constraints import Constraints
from diptych.search.greedy import greedy
from diptych.search.hypothesis import Hypothesis
from diptych.search.sampling import sample
from diptych.search.stepper import Ids, Stepper

ROOM = 10
"""Where no maximum length is set, there is room for so many tokens after a prefix or the minimum length."""


def find(
    stepper: Stepper,
    source: Ids,
    source_lengths: Ids,
    *,
    usual_lengths: Ids,
    search: SearchConfig,
    rows: Sequence[int],
    prefixes: Sequence[Sequence[int]] = (),
) -> list[list[Hypothesis]]:
    """Search for translations as a config says.

    Args:
        stepper: the model.
        source: (B, S) token ids, right-padded.
        source_lengths: (B,) 1 <= length <= S.
        usual_lengths: (B,) the most tokens each translation may have, eos counted, where the config sets no maximum
            length: more where a prefix or the minimum length asks for it.
        search: the config.
        rows: (B,) the number to which each sentence's sample belongs.
        prefixes: (B,) the ids that each translation begins with, or empty.

    Returns:
        The hypotheses of each sentence, the best first.

    Raises:
        ConfigError: the arrays do not fit together, or the config cannot be obeyed with them.
        CheckpointError: the model's log-probabilities are no numbers.
    """
    constraints = Constraints(
        search.no_repeat_ngram, search.minimum_length, search.forbid_unknown, prefixes=tuple(map(tuple, prefixes))
    )
    if search.maximum_length:
        longest = np.full_like(usual_lengths, search.maximum_length)
    else:
        longest = np.maximum(usual_lengths, constraints.needed(len(source)) + ROOM) if constraints else usual_lengths
    kept_to = constraints or None  # what asks for nothing costs nothing
    if search.beam_size > 1:
        return beam(
            stepper,
            source,
            source_lengths,
            maximum_lengths=longest,
            size=search.beam_size,
            length_penalty=search.length_penalty,
            n_best=search.n_best,
            coverage_penalty=search.coverage_penalty,
            constraints=kept_to,
        )
    if search.temperature > 0.0:
        hypotheses = sample(
            stepper,
            source,
            source_lengths=source_lengths,
            maximum_lengths=longest,
            temperature=search.temperature,
            seed=search.seed,
            rows=rows,
            top_k=search.top_k,
            top_p=search.top_p,
            constraints=kept_to,
        )
    else:
        hypotheses = greedy(stepper, source, source_lengths, maximum_lengths=longest, constraints=kept_to)
    return [[hypothesis] for hypothesis in hypotheses]
