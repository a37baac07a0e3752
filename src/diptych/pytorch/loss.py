"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The summed label-smoothed cross-entropy of N tokens, a scalar.

    Args:
        logits: (N, V).
        targets: (N,) the right tokens.
        label_smoothing: the probability spread evenly over the whole vocabulary, 0 <= it < 1 (Szegedy et al., 2016).
    """
    log_normalizer = torch.logsumexp(logits, dim=-1)
    right = logits.gather(1, targets[:, None].long())[:, 0]
    loss = log_normalizer - (1.0 - label_smoothing) * right
    if label_smoothing > 0.0:
        loss = loss - label_smoothing * logits.mean(dim=-1)
    return loss.sum()


def select_positions(values: Tensor, positions: Tensor) -> Tensor:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return values.flatten(0, 1)[positions]
