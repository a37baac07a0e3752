"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The summed label-smoothed cross-entropy of N tokens, a scalar.

    Args:
        logits: (N, V).
        targets: (N,) the right tokens.
        label_smoothing: the probability spread evenly over the whole vocabulary, 0 <= it < 1 (Szegedy et al., 2016).
    """
    return F.cross_entropy(logits, targets.long(), label_smoothing=label_smoothing, reduction="sum")


def select_positions(values: Tensor, positions: Tensor) -> Tensor:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return values.flatten(0, 1)[positions]
