"""What a model that copies says next: the vocabulary's tokens, and those that only the source has (equation 26)."""

from __future__ import annotations

import numpy as np

from diptych.search.stepper import Ids, Reals

SMALLEST = 1e-30
"""No token's probability counts for less, here as in the loss."""


def with_copies(log_probabilities: Reals, gate: Reals, weights: Reals, copies: Ids) -> Reals:
    """The log-probabilities (N, V + S) of the vocabulary's tokens, and of each place of the source after them.

    A token of the source that has an entry adds what is copied to that; one that has none has the id V and the first
    place in the source at which it stands. What cannot be said counts for `SMALLEST`.

    Args:
        log_probabilities: (N, V) of saying each token.
        gate: (N,) the logit of saying one, not copying.
        weights: (N, S) the attention's.
        copies: (N, S) the source's tokens.
    """
    rows, size = log_probabilities.shape
    said = -np.logaddexp(0.0, -gate)[:, None]  # log sigmoid
    copied = np.exp(-np.logaddexp(0.0, gate))[:, None] * weights
    table = np.zeros((rows, size + copies.shape[1]), log_probabilities.dtype)
    table[:, :size] = np.exp(log_probabilities + said)
    np.add.at(table, (np.arange(rows)[:, None], copies), copied)
    logarithms: Reals = np.log(np.maximum(table, SMALLEST))
    return logarithms
