"""Beam search: the K most probable prefixes of every sentence, extended side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.data.vocabulary import BOS, EOS
from diptych.errors import ConfigError
from diptych.search.hypothesis import Hypothesis, make_hypothesis
from diptych.search.stepper import FIRST_CHOICE, Ids, Reals, Rows, Stepper, check_chosen, check_request


def beam(
    stepper: Stepper,
    source: Ids,
    source_lengths: Ids,
    maximum_lengths: Ids,
    size: int,
    length_penalty: float = 0.6,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Keep the K most probable prefixes of every sentence; one that says eos takes its place in the beam with it.

    So the beam narrows by one with every hypothesis that ends, and a sentence is done when none is left, when it
    reaches its maximum length, or when no prefix can still get among its n best. A beam of one is greedy search, and
    one as wide as the space of translations finds the best of them. Pad and bos are never chosen.

    Args:
        stepper: the model.
        source: (B, S) token ids, right-padded.
        source_lengths: (B,) 1 <= length <= S.
        maximum_lengths: (B,) the most tokens each translation may have, eos counted.
        size: K, the beam's width.
        length_penalty: the exponent of `penalty`; 0 ranks by log-probability alone.
        n_best: how many hypotheses to give per sentence, at most K.

    Returns:
        Up to n_best hypotheses per sentence, highest score first. Those that the maximum length cut off come after
        those that ended, and are given only where too few ended.

    Raises:
        ConfigError: a size that cannot be, arrays that do not fit together, or a maximum length below 1.
        CheckpointError: the model's log-probabilities are no numbers.
    """
    check_request(source, source_lengths, maximum_lengths)
    if size < 1 or not 1 <= n_best <= size:
        raise ConfigError(f"a beam takes size >= 1 and n_best from 1 to size; got size {size} and n_best {n_best}")
    if not 0.0 <= length_penalty < math.inf:
        raise ConfigError(f"length_penalty is a number from 0 on, got {length_penalty}")

    sentences = len(source)
    ended: list[list[Hypothesis]] = [[] for _ in range(sentences)]
    cut_off: list[list[Hypothesis]] = [[] for _ in range(sentences)]
    room = np.full(sentences, size)
    to_beat = np.full(sentences, -np.inf)  # the n-th best score so far
    largest_penalties = penalty(maximum_lengths, length_penalty)

    state = stepper.start(source, source_lengths) if sentences else None
    history: list[Extension] = []
    owners = np.arange(sentences)  # (N,) the sentence of each prefix; in order, from 1 to K prefixes a sentence
    sums = np.zeros(sentences)  # (N,) log-probability of each prefix
    fed = np.full(sentences, BOS, np.int32)
    while owners.size:
        table, attention, state = stepper.step(state, fed)
        new = extend(table, attention, owners, sums, room)
        length = len(history) + 1
        owners, sums = owners[new.parents], sums[new.parents] + new.values

        over = length == maximum_lengths[owners]
        for row in np.flatnonzero((new.tokens == EOS) | over):
            owner = owners[row]
            hypothesis = trace([*history, new], int(row), int(source_lengths[owner]), length_penalty)
            (ended if hypothesis.ended else cut_off)[owner].append(hypothesis)
        for owner in np.unique(owners[new.tokens == EOS]):
            ended[owner].sort(key=lambda hypothesis: -hypothesis.score)
            room[owner] = size - len(ended[owner])
            if len(ended[owner]) >= n_best:
                to_beat[owner] = ended[owner][n_best - 1].score

        # A log-probability only falls, and the penalty it is divided by is largest at the maximum length.
        hopeful = np.zeros(sentences, bool)
        live = (new.tokens != EOS) & ~over
        hopeful[owners[live & (sums / largest_penalties[owners] > to_beat[owners])]] = True
        live &= hopeful[owners]

        kept = new.select(np.flatnonzero(live))
        history.append(kept)
        owners, sums, fed = owners[live], sums[live], kept.tokens
        if owners.size and not np.array_equal(kept.parents, np.arange(len(table))):
            state = stepper.reorder(state, kept.parents)
    for best, rest in zip(ended, cut_off, strict=True):
        best += sorted(rest, key=lambda hypothesis: -hypothesis.score)
    return [best[:n_best] for best in ended]


def penalty(length: Ids, exponent: float) -> npt.NDArray[np.float64]:
    """The length penalty ((5 + length) / 6) ** exponent (Wu et al., 2016, equation 14), eos counted in the length."""
    return np.asarray(((5.0 + length) / 6.0) ** exponent)


@dataclass(frozen=True)
class Extension:
    """What one step added: N prefixes, each a parent of the step before and one more token.

    Attributes:
        parents: (N,) which prefix of the step before each one extends.
        tokens: (N,) with which token.
        values: (N,) that token's log-probability, float64.
        attention: (parents, S) where each of the parents looked.
    """

    parents: Rows
    tokens: Ids
    values: npt.NDArray[np.float64]
    attention: Reals

    def select(self, rows: Rows) -> Extension:
        """Only these prefixes."""
        return Extension(self.parents[rows], self.tokens[rows], self.values[rows], self.attention)


def extend(table: Reals, attention: Reals, owners: Rows, sums: npt.NDArray[np.float64], room: Rows) -> Extension:
    """The most probable extensions of each sentence's prefixes, as many as it has room for, best first.

    Args:
        table: (N, V) log-probabilities of the next token.
        attention: (N, S).
        owners: (N,) the sentence of each prefix, ascending.
        sums: (N,) log-probability of each prefix.
        room: (B,) how many prefixes each sentence may have.
    """
    tokens, values = most_probable(table, int(room[owners].max()))  # (N, K)
    width = tokens.shape[1]
    candidates = (sums[:, None] + values).ravel()  # (N * K,)
    candidate_owners = np.repeat(owners, width)
    order = np.lexsort((-candidates, candidate_owners))  # stable: of equals, the better prefix's and the lower id's
    candidate_owners = candidate_owners[order]
    ranks = np.arange(len(order)) - np.searchsorted(candidate_owners, candidate_owners)
    chosen = order[(ranks < room[candidate_owners]) & (candidates[order] > -np.inf)]
    return Extension(chosen // width, tokens.ravel()[chosen].astype(np.int32), values.ravel()[chosen], attention)


def most_probable(table: Reals, count: int) -> tuple[Rows, npt.NDArray[np.float64]]:
    """The ids and log-probabilities (N, count) of each row's most probable tokens, best first, then lowest id first.

    As many passes over the table as there are tokens to find: far faster than a partition for the width of a beam.
    """
    left = np.array(table[:, FIRST_CHOICE:])
    count = min(count, left.shape[1])
    rows = np.arange(len(left))
    tokens = np.empty((len(left), count), np.intp)
    values = np.empty((len(left), count))
    for place in range(count):
        best = left.argmax(axis=1)
        tokens[:, place] = best + FIRST_CHOICE
        values[:, place] = left[rows, best]
        left[rows, best] = -np.inf
    check_chosen(values[:, 0])
    return tokens, values


def trace(history: Sequence[Extension], row: int, source_length: int, exponent: float) -> Hypothesis:
    """The hypothesis that ends in this row of the last step, followed back to the first."""
    tokens, values, attention = [], [], []
    for step in reversed(history):
        tokens.append(int(step.tokens[row]))
        values.append(float(step.values[row]))
        row = int(step.parents[row])
        attention.append(step.attention[row])
    length_penalty = float(penalty(np.asarray(len(tokens)), exponent))
    return make_hypothesis(tokens[::-1], values[::-1], attention[::-1], source_length, length_penalty)
