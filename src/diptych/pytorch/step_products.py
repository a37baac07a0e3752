"""Matrix products that a loop makes at every step, their weight's gradient made once (docs/equations.md, 19)."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.autograd import Function

from diptych.pytorch.linear import linear_add, weight_gradient


class StepProduct:
    """A weight that multiplies another input at each step of a loop.

    Differentiated step by step, the weight's gradient would be many small products, each added to the sum of those
    before it. Here the steps see the weight as a constant, and its gradient is one large product: of all their
    inputs and of what flows back into the base that is added at each step.

    Attributes:
        base: (T, B, O) what a loop goes over, to hand each step its part.
    """

    def __init__(self, weight: Tensor, base: Tensor) -> None:
        """Take the weight and what is added to its products at T steps, (T, B, O)."""
        self.weight = weight.detach()
        self.kept: list[Tensor] = []
        self.base = _collect(base, weight, self.kept)

    def __call__(self, inputs: Tensor, base: Tensor) -> Tensor:
        """The product with the inputs (B, I) of one step, added to that step's part of the base: (B, O)."""
        return linear_add(inputs, self.weight, base)

    def keep(self, inputs: Tensor) -> None:
        """Say, when the loop has ended, what the inputs of all steps were: (T, B, I)."""
        self.kept.append(inputs.detach())


def spread(bias: Tensor, inputs: Tensor) -> Tensor:
    """A bias (O,) as the base of a loop over inputs (T, B, I), in their precision: (T, B, O)."""
    return bias.to(inputs.dtype).expand(*inputs.shape[:2], -1)


def _collect(base: Tensor, weight: Tensor, kept: list[Tensor]) -> Tensor:
    """The base as it is; backward, the weight's gradient from the base's and from the inputs that were kept."""
    return _Collect.apply(base, weight, kept)


class _Collect(Function):
    """What `_collect` does."""

    @staticmethod
    def forward(ctx: Any, base: Tensor, weight: Tensor, kept: list[Tensor]) -> Tensor:
        """Hand on the base."""
        ctx.kept = kept
        return base.view_as(base)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Hand back the base's gradient, and make the weight's."""
        return gradient, weight_gradient(gradient.flatten(0, 1), ctx.kept.pop().flatten(0, 1)), None
