"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor

SMALLEST = 1e-30
"""No token's probability counts for less, so that its logarithm is a number."""


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


def copying_cross_entropy(
    logits: Tensor, gate: Tensor, weights: Tensor, copies: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """The summed loss of N tokens where each is said or copied (docs/equations.md, 26), a scalar.

    Args:
        logits: (N, V).
        gate: (N,) the logit of saying a token.
        weights: (N, S) the attention's.
        copies: (N, S) the source's tokens; one without an entry has an id of its own from V on.
        targets: (N,) the right tokens, with such ids for those that can only be copied.
        label_smoothing: as in `cross_entropy`, for what is said.
    """
    size = tf.shape(logits)[1]
    log_probabilities = tf.nn.log_softmax(logits, axis=-1)
    has_entry = targets < size
    right = tf.gather(log_probabilities, tf.where(has_entry, targets, 0), axis=1, batch_dims=1)
    said = tf.where(has_entry, tf.exp(right), tf.zeros_like(right))
    weights = tf.cast(weights, logits.dtype)
    copied = tf.reduce_sum(tf.where(copies == targets[:, None], weights, tf.zeros_like(weights)), axis=-1)
    probability = tf.sigmoid(gate) * said + tf.sigmoid(-gate) * copied
    loss = -tf.reduce_sum(tf.math.log(tf.maximum(probability, SMALLEST)))
    if label_smoothing > 0.0:
        spread = tf.reduce_sum(tf.reduce_mean(log_probabilities, axis=-1))
        loss = (1.0 - label_smoothing) * loss - label_smoothing * spread
    return loss


def select_positions(values: Tensor, positions: Tensor) -> Tensor:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return tf.gather(tf.reshape(values, tf.concat([[-1], tf.shape(values)[2:]], axis=0)), positions)
