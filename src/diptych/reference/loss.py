"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from diptych.reference.recurrent import sigmoid

SMALLEST = 1e-30
"""No token's probability counts for less, so that its logarithm is a number."""


def cross_entropy(logits: ndarray, targets: ndarray, label_smoothing: float = 0.0) -> ndarray:
    """The summed label-smoothed cross-entropy of N tokens, a scalar.

    Args:
        logits: (N, V).
        targets: (N,) the right tokens.
        label_smoothing: the probability spread evenly over the whole vocabulary, 0 <= it < 1 (Szegedy et al., 2016).
    """
    largest = logits.max(axis=-1)
    log_normalizer = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=-1))
    right = np.take_along_axis(logits, targets[:, None], axis=1)[:, 0]
    loss = log_normalizer - (1.0 - label_smoothing) * right
    if label_smoothing > 0.0:
        loss = loss - label_smoothing * logits.mean(axis=-1)
    return loss.sum()


def copying_cross_entropy(
    logits: ndarray, gate: ndarray, weights: ndarray, copies: ndarray, targets: ndarray, label_smoothing: float = 0.0
) -> ndarray:
    """The summed loss of N tokens where each is said or copied (docs/equations.md, 26), a scalar.

    Args:
        logits: (N, V).
        gate: (N,) the logit of saying a token.
        weights: (N, S) the attention's.
        copies: (N, S) the source's tokens; one without an entry has an id of its own from V on.
        targets: (N,) the right tokens, with such ids for those that can only be copied.
        label_smoothing: as in `cross_entropy`, for what is said.
    """
    size = logits.shape[1]
    largest = logits.max(axis=-1, keepdims=True)
    log_probabilities = logits - largest - np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))
    has_entry = targets < size
    right = np.take_along_axis(log_probabilities, np.where(has_entry, targets, 0)[:, None], axis=1)[:, 0]
    said = np.where(has_entry, np.exp(right), 0.0)
    copied = np.where(copies == targets[:, None], weights, 0.0).sum(axis=-1)
    probability = sigmoid(gate) * said + sigmoid(-gate) * copied
    loss = -np.log(np.maximum(probability, SMALLEST)).sum()
    if label_smoothing > 0.0:
        loss = (1.0 - label_smoothing) * loss - label_smoothing * log_probabilities.mean(axis=-1).sum()
    return loss


def select_positions(values: ndarray, positions: ndarray) -> ndarray:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return values.reshape(-1, *values.shape[2:])[positions]
