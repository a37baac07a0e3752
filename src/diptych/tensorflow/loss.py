"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The summed label-smoothed cross-entropy of N tokens, a scalar.

    Args:
        logits: (N, V).
        targets: (N,) the right tokens.
        label_smoothing: the probability spread evenly over the whole vocabulary, 0 <= it < 1 (Szegedy et al., 2016).
    """
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    if label_smoothing > 0.0:
        spread = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        loss = (1.0 - label_smoothing) * loss + label_smoothing * spread
    return tf.reduce_sum(loss)


def select_positions(values: Tensor, positions: Tensor) -> Tensor:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return tf.gather(tf.reshape(values, tf.concat([[-1], tf.shape(values)[2:]], axis=0)), positions)
