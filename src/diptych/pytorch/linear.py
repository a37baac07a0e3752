"""Matrix products with a weight, by the kernel that is the faster one in this process.

On a processor PyTorch multiplies in float32 with MKL, which on some processors reaches less than half of what oneDNN,
a part of PyTorch too, reaches there. `choose` measures both with a model's own shapes. oneDNN is fastest where a weight
(O, I) lies in memory column after column, which its shape does not show: `arrange` lays it out so.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

DEFAULT, ONEDNN = "PyTorch's default", "oneDNN"

# Rows of the products that are measured: those of a step, and those of a few steps together.
_ROWS, _POSITIONS = 64, 512
# A step's product with fewer operations than this costs less than the call: there is nothing to gain.
_WORTH_CHOOSING = 2e7
# How much faster oneDNN must be to be taken, so that a close race ends the same way each time.
_CLEARLY = 1.15

_kernel: str | None = None  # of this process; None: not yet chosen


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Inputs (..., I) and a weight (O, I) give (..., O), the bias (O,) added."""
    return _Linear.apply(inputs, weight, bias) if _by_onednn(inputs) else F.linear(inputs, weight, bias)


def linear_add(inputs: Tensor, weight: Tensor, base: Tensor) -> Tensor:
    """Inputs (B, I) and a weight (O, I), which gets no gradient, give (B, O), the base (B, O) added."""
    return _LinearAdd.apply(inputs, weight, base) if _by_onednn(inputs) else torch.addmm(base, inputs, weight.t())


def weight_gradient(gradient: Tensor, inputs: Tensor) -> Tensor:
    """The gradient (O, I) of a weight from that of its products (N, O) and from its inputs (N, I)."""
    return _multiply(inputs.t(), gradient.t()).t() if _by_onednn(inputs) else gradient.t() @ inputs


def choose(hidden: Tensor, known: Tensor) -> None:
    """Take the kernel that is faster for weights of a step and of all steps at once, unless one has been taken."""
    if _kernel is not None or hidden.device.type != "cpu" or 2 * _ROWS * hidden.numel() < _WORTH_CHOOSING:
        return
    seconds: dict[str, list[float]] = {DEFAULT: [], ONEDNN: []}
    for _ in range(6):  # in turn, so that other programs slow down both; the first time each is warmed up
        for kernel in seconds:
            use(kernel)
            seconds[kernel].append(_time(hidden, _ROWS) + _time(known, _POSITIONS))
    use(ONEDNN if min(seconds[ONEDNN]) * _CLEARLY < min(seconds[DEFAULT]) else DEFAULT)


def arrange(weight: torch.nn.Parameter) -> None:
    """Lay a weight (O, I) out in memory as the kernel of this process reads it best."""
    if _by_onednn(weight):
        weight.data = weight.data.t().contiguous().t()


def in_rows(variable: Tensor, tensor: Tensor) -> Tensor:
    """A tensor laid out as this variable, seen such that it lies in memory row after row; or back again."""
    return tensor if variable.is_contiguous() else tensor.t()


def chosen() -> str:
    """The kernel of this process."""
    return _kernel or DEFAULT


def use(kernel: str) -> None:
    """Take this kernel, if it is there."""
    global _kernel
    _kernel = ONEDNN if kernel == ONEDNN and torch.backends.mkldnn.is_available() else DEFAULT


def _time(weight: Tensor, rows: int) -> float:
    """The seconds that a product with this weight takes, with its gradients."""
    weight = weight.detach().requires_grad_()
    inputs = weight.new_ones(rows, weight.shape[1]).requires_grad_()
    mark = time.perf_counter()
    product = linear(inputs, weight)
    torch.autograd.grad(product, (inputs, weight), torch.ones_like(product))
    return time.perf_counter() - mark


def _by_onednn(inputs: Tensor) -> bool:
    plain = inputs.dtype == torch.float32 and inputs.device.type == "cpu"
    return _kernel == ONEDNN and plain and inputs.numel() > 0  # oneDNN refuses a matrix of nothing


def _multiply(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`linear` of (N, I) without gradients."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(_dense(inputs), _dense(weight), bias, "none", [], "")
    return product


def _dense(matrix: Tensor) -> Tensor:
    """The matrix without gaps, by rows or by columns: with gaps oneDNN is slower by orders of magnitude."""
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()


class _Linear(Function):
    """`linear` by oneDNN."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """See `linear`."""
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        return _multiply(inputs.flatten(0, -2), weight, bias).view(*inputs.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients that are asked for."""
        inputs, weight = ctx.saved_tensors
        flat = gradient.flatten(0, -2)
        of_inputs = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_inputs = _multiply(flat, weight.t()).view(inputs.shape)
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(flat, inputs.flatten(0, -2))
        if ctx.has_bias and ctx.needs_input_grad[2]:
            of_bias = flat.sum(0)
        return of_inputs, of_weight, of_bias


class _LinearAdd(Function):
    """`linear_add` by oneDNN."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, base: Tensor) -> Tensor:
        """See `linear_add`."""
        ctx.save_for_backward(weight)
        product: Tensor = torch.ops.mkldnn._linear_pointwise.binary(_dense(inputs), base, _dense(weight), None, "add")
        return product

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs and of the base."""
        (weight,) = ctx.saved_tensors
        return (_multiply(gradient, weight.t()) if ctx.needs_input_grad[0] else None), None, gradient
