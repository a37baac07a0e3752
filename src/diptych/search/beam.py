"""Beam search: the K most probable prefixes of every sentence, extended side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from diptych.data.tokens.vocabulary import BOS, EOS
from diptych.errors import ConfigError
from diptych.search.constraints import Constraints
from diptych.search.extension import Extension, extend
from diptych.search.hypothesis import Hypothesis, make_hypothesis
from diptych.search.score import coverage, penalty
from diptych.search.stepper import Ids, Stepper, check_request


def beam(
    stepper: Stepper,
    source: Ids,
    source_lengths: Ids,
    maximum_lengths: Ids,
    size: int,
    length_penalty: float = 0.6,
    n_best: int = 1,
    coverage_penalty: float = 0.0,
    constraints: Constraints | None = None,
) -> list[list[Hypothesis]]:
    """Keep the K most probable prefixes of every sentence; one that says eos takes its place in the beam with it.

    So the beam narrows by one with every hypothesis that ends, and a sentence is done when none is left, when it
    reaches its maximum length, or when no prefix can still get among its n best. A beam of one is greedy search, and
    one as wide as the space of translations finds the best of them. Pad and bos are never chosen.

    The score of a hypothesis is log-probability / length penalty + coverage_penalty * coverage (Wu et al., 2016,
    equation 14). Prefixes are ranked by their log-probability.

    A sentence that stops early has the n best that it would have without. Take a prefix of log-probability s, and
    any hypothesis that begins with it. Its log-probability is at most s <= 0, as no token's is above 0; its length
    penalty is at most that of the maximum length, as the exponent is not negative; so the quotient is at most s / that
    penalty. Its coverage is at most 0, however little the prefix has covered so far. So its score is at most
    s / that penalty, and where this is not above the n-th best score for any of a sentence's prefixes, whatever would
    still end comes after the n best: of equal scores, the one that ended first comes first. A sentence's prefixes
    leave all together or not at all, so they never make room for each other. s is a rounded sum, each of its T
    additions off by at most 2^-53 of it: the bound allows for more than that.

    Args:
        stepper: the model.
        source: (B, S) token ids, right-padded.
        source_lengths: (B,) 1 <= length <= S.
        maximum_lengths: (B,) the most tokens each translation may have, eos counted.
        size: K, the beam's width.
        length_penalty: the exponent of `penalty`; 0 divides by 1.
        n_best: how many hypotheses to give per sentence, at most K.
        coverage_penalty: how much it counts that source tokens were hardly looked at, see `coverage`; 0: nothing.
        constraints: what translations must keep to.

    Returns:
        Up to n_best hypotheses per sentence, highest score first. Those that the maximum length cut off come after
        those that ended, and are given only where too few ended.

    Raises:
        ConfigError: a size or a penalty that cannot be, arrays that do not fit together, a maximum length below 1, or
            constraints that cannot be kept to.
        CheckpointError: the model's log-probabilities are no numbers.
    """
    check_request(source, source_lengths, maximum_lengths)
    if constraints:
        constraints.check_room(maximum_lengths)
    if size < 1 or not 1 <= n_best <= size:
        raise ConfigError(f"a beam takes size >= 1 and n_best from 1 to size; got size {size} and n_best {n_best}")
    for name, value in (("length_penalty", length_penalty), ("coverage_penalty", coverage_penalty)):
        if not 0.0 <= value < math.inf:
            raise ConfigError(f"{name} is a number from 0 on, got {value}")

    sentences = len(source)
    ended: list[list[Hypothesis]] = [[] for _ in range(sentences)]
    cut_off: list[list[Hypothesis]] = [[] for _ in range(sentences)]
    room = np.full(sentences, size)
    to_beat = np.full(sentences, -np.inf)  # the n-th best score so far
    rounding = 1.0 + (maximum_lengths + 8.0) * np.finfo(np.float64).eps
    largest_penalties = penalty(maximum_lengths, length_penalty) * rounding

    state = stepper.start(source, source_lengths) if sentences else None
    history: list[Extension] = []
    owners = np.arange(sentences)  # (N,) the sentence of each prefix; in order, from 1 to K prefixes a sentence
    sums = np.zeros(sentences)  # (N,) log-probability of each prefix
    fed = np.full(sentences, BOS, np.int32)
    said = np.zeros((sentences, 0), np.int32)  # (N, t) the tokens of each prefix, kept where there are constraints
    while owners.size:
        table, attention, state = stepper.step(state, fed)
        if constraints:
            table = constraints.mask(table, said, owners)
        new = extend(table, attention, owners=owners, sums=sums, room=room, masked=bool(constraints))
        length = len(history) + 1
        owners, sums = owners[new.parents], sums[new.parents] + new.values

        over = length == maximum_lengths[owners]
        for row in np.flatnonzero((new.tokens == EOS) | over):
            owner = owners[row]
            hypothesis = trace(
                [*history, new],
                int(row),
                source_length=int(source_lengths[owner]),
                exponent=length_penalty,
                coverage_penalty=coverage_penalty,
            )
            (ended if hypothesis.ended else cut_off)[owner].append(hypothesis)
        for owner in np.unique(owners[new.tokens == EOS]):
            ended[owner].sort(key=lambda hypothesis: -hypothesis.score)
            room[owner] = size - len(ended[owner])
            if len(ended[owner]) >= n_best:
                to_beat[owner] = ended[owner][n_best - 1].score

        # Whatever begins with a prefix scores at most this, as said above.
        hopeful = np.zeros(sentences, bool)
        live = (new.tokens != EOS) & ~over
        hopeful[owners[live & (sums / largest_penalties[owners] > to_beat[owners])]] = True
        live &= hopeful[owners]

        kept = new.select(np.flatnonzero(live))
        history.append(kept)
        owners, sums, fed = owners[live], sums[live], kept.tokens
        if constraints:
            said = np.column_stack([said[kept.parents], fed])
        if owners.size and not np.array_equal(kept.parents, np.arange(len(table))):
            state = stepper.reorder(state, kept.parents)
    for best, rest in zip(ended, cut_off, strict=True):
        best += sorted(rest, key=lambda hypothesis: -hypothesis.score)
    return [best[:n_best] for best in ended]


def trace(
    history: Sequence[Extension], row: int, source_length: int, exponent: float, coverage_penalty: float
) -> Hypothesis:
    """The hypothesis that ends in this row of the last step, followed back to the first."""
    tokens, values, attention = [], [], []
    for step in reversed(history):
        tokens.append(int(step.tokens[row]))
        values.append(float(step.values[row]))
        row = int(step.parents[row])
        attention.append(step.attention[row, :source_length])
    length_penalty = float(penalty(np.asarray(len(tokens)), exponent))
    covered = coverage_penalty * coverage(attention) if coverage_penalty else 0.0
    return make_hypothesis(
        tokens[::-1],
        values[::-1],
        attention=attention[::-1],
        source_length=source_length,
        length_penalty=length_penalty,
        coverage_penalty=covered,
    )
