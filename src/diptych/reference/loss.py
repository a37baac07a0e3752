"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray


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


def select_positions(values: ndarray, positions: ndarray) -> ndarray:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return values.reshape(-1, *values.shape[2:])[positions]
