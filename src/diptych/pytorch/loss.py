"""The loss: cross-entropy per real token, with label smoothing (docs/equations.md, 15)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

SMALLEST = 1e-30
"""No token's probability counts for less, so that its logarithm is a number."""


def cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The summed label-smoothed cross-entropy of N tokens, a scalar.

    Args:
        logits: (N, V).
        targets: (N,) the right tokens.
        label_smoothing: the probability spread evenly over the whole vocabulary, 0 <= it < 1 (Szegedy et al., 2016).
    """
    loss: Tensor = _CrossEntropy.apply(logits, targets.long()[:, None], label_smoothing)
    return loss


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
    size = logits.shape[1]
    log_probabilities = torch.log_softmax(logits, dim=-1)
    has_entry = targets < size
    right = log_probabilities.gather(1, torch.where(has_entry, targets, 0).long()[:, None])[:, 0]
    said = torch.where(has_entry, right.exp(), 0.0)
    copied = torch.where(copies == targets[:, None], weights.to(logits.dtype), 0.0).sum(dim=-1)
    probability = torch.sigmoid(gate) * said + torch.sigmoid(-gate) * copied
    loss = -torch.log(torch.clamp(probability, min=SMALLEST)).sum()
    if label_smoothing > 0.0:
        loss = (1.0 - label_smoothing) * loss - label_smoothing * log_probabilities.mean(dim=-1).sum()
    return loss


def select_positions(values: Tensor, positions: Tensor) -> Tensor:
    """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""
    return values.flatten(0, 1)[positions]


class _CrossEntropy(Function):
    """`cross_entropy` with fewer passes over (N, V) on the way back than PyTorch's own makes."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        """The loss for targets (N, 1)."""
        log_probabilities = torch.log_softmax(logits, dim=-1)
        ctx.kept = [(log_probabilities, targets)]
        ctx.label_smoothing = label_smoothing
        loss = -log_probabilities.gather(1, targets).sum()
        if label_smoothing > 0.0:
            loss = (1.0 - label_smoothing) * loss - label_smoothing * log_probabilities.mean(dim=-1).sum()
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the logits: the probabilities less the smoothed targets. Once only: it takes their place."""
        log_probabilities, targets = ctx.kept.pop()
        smoothing = ctx.label_smoothing
        by_logits = log_probabilities.exp_().mul_(gradient)
        if smoothing > 0.0:
            by_logits.sub_(smoothing / by_logits.shape[1] * gradient)
        by_logits.scatter_add_(1, targets, ((smoothing - 1.0) * gradient).expand_as(targets))
        return by_logits, None, None
