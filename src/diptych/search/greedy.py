"""Greedy search: the most probable token at every step. And the walk that sampling shares with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from diptych.data.tokens.vocabulary import BOS, EOS
from diptych.search.constraints import Constraints
from diptych.search.hypothesis import Hypothesis, make_hypothesis
from diptych.search.stepper import FIRST_CHOICE, Ids, Reals, Rows, Stepper, check_chosen, check_request

Choose = Callable[[Reals, Rows, int], Rows]
"""From log-probabilities (N, V), which of the B sentences the N rows are, and the step from 0: one token id a row."""


def greedy(
    stepper: Stepper,
    source: Ids,
    source_lengths: Ids,
    maximum_lengths: Ids,
    constraints: Constraints | None = None,
) -> list[Hypothesis]:
    """Take the most probable token at every step; of equally probable ones the lowest id. Never pad or bos.

    Args:
        stepper: the model.
        source: (B, S) token ids, right-padded.
        source_lengths: (B,) 1 <= length <= S.
        maximum_lengths: (B,) the most tokens each translation may have, eos counted.
        constraints: what translations must keep to.

    Returns:
        One hypothesis per sentence, in order.

    Raises:
        ConfigError: the arrays do not fit together, a maximum length is below 1, or the constraints cannot be kept to.
        CheckpointError: the model's log-probabilities are no numbers.
    """

    def most_probable(table: Reals, sentences: Rows, step: int) -> Rows:
        best: Rows = table[:, FIRST_CHOICE:].argmax(axis=1)
        return best + FIRST_CHOICE

    return walk(
        stepper,
        source,
        source_lengths=source_lengths,
        maximum_lengths=maximum_lengths,
        choose=most_probable,
        constraints=constraints,
    )


def walk(
    stepper: Stepper,
    source: Ids,
    source_lengths: Ids,
    maximum_lengths: Ids,
    choose: Choose,
    constraints: Constraints | None = None,
) -> list[Hypothesis]:
    """Follow one path per sentence, the next token as `choose` says; a sentence that has ended leaves the batch."""
    check_request(source, source_lengths, maximum_lengths)
    if constraints:
        constraints.check_room(maximum_lengths)
    sentences = np.arange(len(source))
    tokens: list[list[int]] = [[] for _ in sentences]
    values: list[list[float]] = [[] for _ in sentences]
    attention: list[list[Reals]] = [[] for _ in sentences]
    state = stepper.start(source, source_lengths) if len(source) else None
    fed = np.full(len(source), BOS, np.int32)
    said = np.zeros((len(source), 0), np.int32)  # (N, t) kept where there are constraints
    step = 0
    while sentences.size:
        table, weights, state = stepper.step(state, fed)
        allowed = constraints.mask(table, said, sentences) if constraints else table
        chosen = choose(allowed, sentences, step)
        chosen_values = table[np.arange(len(chosen)), chosen]
        check_chosen(chosen_values)
        for row, sentence in enumerate(sentences):
            tokens[sentence].append(int(chosen[row]))
            values[sentence].append(float(chosen_values[row]))
            attention[sentence].append(weights[row])
        step += 1
        live = np.flatnonzero((chosen != EOS) & (step < maximum_lengths[sentences]))
        fed = chosen[live].astype(np.int32)
        if 0 < len(live) < len(sentences):
            state = stepper.reorder(state, live)
        sentences = sentences[live]
        if constraints:
            said = np.column_stack([said[live], fed])
    return [
        make_hypothesis(tokens[row], values[row], attention=attention[row], source_length=int(length))
        for row, length in enumerate(source_lengths)
    ]
