"""Matrix products that a loop makes at every step, their weight's gradient made once (docs/equations.md, 19)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.autograd import Function

from diptych.panel.nests import map_nest
from diptych.pytorch.kernels import Kernels
from diptych.pytorch.linear import linear_add, weight_gradient
from diptych.pytorch.loops import scan


class LoopProduct:
    """A weight that multiplies another input at each step of a loop.

    Differentiated step by step, the weight's gradient would be many small products, each added to the sum of those
    before it. Here the steps see the weight as a constant, and its gradient is one large product: of all their
    inputs and of what flows back into the base that is added at each step.

    Attributes:
        base: (T, B, O) what is added to the product at each step.
    """

    def __init__(self, weight: Tensor, base: Tensor, kernels: Kernels) -> None:
        """Take the weight and what is added to its products at T steps, (T, B, O)."""
        self.weight = weight.detach()
        self.kernels = kernels
        self.multiplied: list[Tensor] = []
        self.base = _collect(base, weight, multiplied=self.multiplied, kernels=kernels)

    def at(self, base: Tensor) -> StepProduct:
        """The product at one step, with its part of the base (B, O)."""
        return StepProduct(self.weight, base, self.kernels)

    def keep(self, inputs: Tensor) -> None:
        """Take, when the loop has ended, the inputs of all steps: (T, B, I)."""
        self.multiplied.append(inputs)


class StepProduct:
    """A weight that multiplies the input of one step of a loop.

    Attributes:
        inputs: (B, I) what was multiplied.
    """

    def __init__(self, weight: Tensor, base: Tensor, kernels: Kernels) -> None:
        """Take the weight, which gets no gradient here, and what is added (B, O)."""
        self.weight = weight
        self.base = base
        self.kernels = kernels

    def __call__(self, inputs: Tensor) -> Tensor:
        """The product with the inputs (B, I), added to the base: (B, O)."""
        self.inputs = inputs.detach()
        return linear_add(inputs, self.weight, base=self.base, kernels=self.kernels)


def multiply_in_loop(
    body: Callable[[Any, Any, Any], tuple[Any, Any]], products: Any, state: Any, inputs: Any, reverse: bool = False
) -> tuple[Any, Any]:
    """`scan` over T steps that multiply.

    Args:
        body: from the products at one step, a state and the step's inputs to the next state and the step's outputs.
        products: a nest of `LoopProduct`; the body gets a `StepProduct` for each, and calls it once.
        state: before the first step.
        inputs: a nest of tensors (T, ...).
        reverse: from the last step to the first.

    Returns:
        The state after the last step gone through, and the outputs of each (T, ...), in the inputs' order.
    """

    def step(state: Any, now: tuple[Any, Any]) -> tuple[Any, tuple[Any, Any]]:
        bases, inputs_now = now
        products_now = map_nest(LoopProduct.at, products, bases)
        state, outputs = body(products_now, state, inputs_now)
        return state, (outputs, map_nest(lambda product: product.inputs, products_now))

    bases = map_nest(lambda product: product.base, products)
    state, (outputs, multiplied) = scan(step, state, inputs=(bases, inputs), reverse=reverse)
    map_nest(LoopProduct.keep, products, multiplied)
    return state, outputs


def at_one_step(products: Any) -> Any:
    """A nest of `LoopProduct` over one step as one of `StepProduct`."""
    return map_nest(lambda product: product.at(product.base[0]), products)


def spread(bias: Tensor, inputs: Tensor) -> Tensor:
    """A bias (O,) as the base of a loop over inputs (T, B, I), in their precision: (T, B, O)."""
    return bias.to(inputs.dtype).expand(*inputs.shape[:2], -1)


def _collect(base: Tensor, weight: Tensor, multiplied: list[Tensor], kernels: Kernels) -> Tensor:
    """The base as it is; backward, the weight's gradient from the base's and from the inputs that were multiplied."""
    return _Collect.apply(base, weight, multiplied, kernels)


class _Collect(Function):
    """`_collect` as a function with a gradient of its own."""

    @staticmethod
    def forward(ctx: Any, base: Tensor, weight: Tensor, multiplied: list[Tensor], kernels: Kernels) -> Tensor:
        """Hand on the base."""
        ctx.multiplied, ctx.kernels = multiplied, kernels
        return base.view_as(base)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Hand back the base's gradient, and make the weight's."""
        inputs = ctx.multiplied.pop()
        return gradient, weight_gradient(gradient.flatten(0, 1), inputs.flatten(0, 1), ctx.kernels), None, None
