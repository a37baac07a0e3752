"""What one step of a beam adds: the most probable extensions of each sentence's prefixes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.search.stepper import FIRST_CHOICE, Ids, Reals, Rows, check_chosen


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
        return Extension(
            self.parents[rows], tokens=self.tokens[rows], values=self.values[rows], attention=self.attention
        )


def extend(
    table: Reals,
    attention: Reals,
    owners: Rows,
    sums: npt.NDArray[np.float64],
    room: Rows,
    masked: bool = False,
) -> Extension:
    """The most probable extensions of each sentence's prefixes, as many as it has room for, best first.

    Args:
        table: (N, V) log-probabilities of the next token.
        attention: (N, S).
        owners: (N,) the sentence of each prefix, ascending.
        sums: (N,) log-probability of each prefix.
        room: (B,) how many prefixes each sentence may have.
        masked: whether constraints have been at the table, and have checked it: a row of minus infinity then is a
            prefix that cannot go on.

    Raises:
        CheckpointError: the model's log-probabilities are no numbers.
    """
    tokens, values = most_probable(table, int(room[owners].max()))  # (N, K)
    if not masked:
        check_chosen(values[:, 0])
    width = tokens.shape[1]
    candidates = (sums[:, None] + values).ravel()  # (N * K,)
    candidate_owners = np.repeat(owners, width)
    order = np.lexsort((-candidates, candidate_owners))  # stable: of equals, the better prefix's and the lower id's
    candidate_owners = candidate_owners[order]
    ranks = np.arange(len(order)) - np.searchsorted(candidate_owners, candidate_owners)
    chosen = order[(ranks < room[candidate_owners]) & (candidates[order] > -np.inf)]
    return Extension(
        chosen // width,
        tokens=tokens.ravel()[chosen].astype(np.int32),
        values=values.ravel()[chosen],
        attention=attention,
    )


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
    return tokens, values
