"""Matrix products with a weight, by the kernel that the model was given.

On a processor PyTorch multiplies in float32 with MKL, which on some processors reaches less than half of what oneDNN,
a part of PyTorch too, reaches there. `KernelChoice` measures both. oneDNN is fastest where a weight (O, I) lies in
memory column after column, which its shape does not show: `Arithmetic.matrix` lays it out so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from diptych.pytorch.private import has_onednn, onednn_linear, onednn_linear_add

DEFAULT, ONEDNN = "PyTorch's default", "oneDNN"
PRODUCTS = "matrix products"
"""What the kernel is the choice of, in a panel's `choices`."""

# Rows of the products that are measured: those of a step, and those of a few steps together.
_ROWS, _POSITIONS = 64, 512
# A step's product with fewer operations than this costs less than the call: there is nothing to gain.
_WORTH_CHOOSING = 2e7
# How much faster oneDNN must be to be taken, so that a close race ends the same way each time.
_CLEARLY = 1.15


class Arithmetic(NamedTuple):
    """In what a layer keeps its weights, and how it multiplies with them.

    Attributes:
        dtype: of the weights; None: PyTorch's default dtype.
        kernel: `DEFAULT` or `ONEDNN`, which multiplies in float32 on a processor and nowhere else.
    """

    dtype: torch.dtype | None
    kernel: str

    def matrix(self, outputs: int, inputs: int) -> nn.Parameter:
        """A weight (O, I) of zeros, laid out in memory as the kernel reads it best."""
        weight = torch.zeros(outputs, inputs, dtype=self.dtype)
        return nn.Parameter(weight.t().contiguous().t() if _by_onednn(weight, self.kernel) else weight)

    def vector(self, size: int) -> nn.Parameter:
        """A bias of zeros."""
        return nn.Parameter(torch.zeros(size, dtype=self.dtype))


STANDARD = Arithmetic(None, DEFAULT)


def kernel_of(choices: Mapping[str, str]) -> str:
    """The kernel among a panel's choices; the default where none was chosen, or where the chosen one is not there."""
    return ONEDNN if choices.get(PRODUCTS) == ONEDNN and has_onednn() else DEFAULT


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None, kernel: str) -> Tensor:
    """Inputs (..., I) and a weight (O, I) give (..., O), the bias (O,) added."""
    return _Linear.apply(inputs, weight, bias) if _by_onednn(inputs, kernel) else F.linear(inputs, weight, bias)


def linear_add(inputs: Tensor, weight: Tensor, base: Tensor, kernel: str) -> Tensor:
    """Inputs (B, I) and a weight (O, I), which gets no gradient, give (B, O), the base (B, O) added."""
    by_onednn = _by_onednn(inputs, kernel)
    return _LinearAdd.apply(inputs, weight, base) if by_onednn else torch.addmm(base, inputs, weight.t())


def weight_gradient(gradient: Tensor, inputs: Tensor, kernel: str) -> Tensor:
    """The gradient (O, I) of a weight from that of its products (N, O) and from its inputs (N, I)."""
    return _multiply(inputs.t(), gradient.t()).t() if _by_onednn(inputs, kernel) else gradient.t() @ inputs


def in_rows(variable: Tensor, tensor: Tensor) -> Tensor:
    """A tensor laid out as this variable, seen such that it lies in memory row after row; or back again."""
    return tensor if variable.is_contiguous() else tensor.t()


def product_seconds(kernel: str, outputs: int, inputs: int, rows: int) -> float:
    """The seconds that a product of rows (N, I) with a weight (O, I) takes, with its gradients."""
    weight = torch.zeros(outputs, inputs, requires_grad=True)
    vectors = torch.ones(rows, inputs, requires_grad=True)
    mark = time.perf_counter()
    product = linear(vectors, weight, bias=None, kernel=kernel)
    torch.autograd.grad(product, (vectors, weight), torch.ones_like(product))
    return time.perf_counter() - mark


class KernelChoice:
    """Which kernel is the faster one here: measured once, for the first model that is large enough.

    Attributes:
        kernel: which; None while that is open. One that was chosen elsewhere is put here.
    """

    def __init__(self, seconds: Callable[[str, int, int, int], float] = product_seconds) -> None:
        """Nothing is chosen yet; `seconds` is what measures."""
        self.kernel: str | None = None
        self.seconds = seconds

    def measure(self, hidden: tuple[int, int], known: tuple[int, int]) -> None:
        """Choose for float32 weights (O, I) of a step and of all steps at once, unless it is done or not worth it."""
        on_processor = torch.get_default_device().type == "cpu"
        worth = 2 * _ROWS * hidden[0] * hidden[1] >= _WORTH_CHOOSING
        if self.kernel is not None or not on_processor or not worth or not has_onednn():
            return
        seconds: dict[str, list[float]] = {DEFAULT: [], ONEDNN: []}
        for _ in range(6):  # in turn, so that other programs slow down both; the first time each is warmed up
            for kernel, measured in seconds.items():
                measured.append(self.seconds(kernel, *hidden, _ROWS) + self.seconds(kernel, *known, _POSITIONS))
        self.kernel = ONEDNN if min(seconds[ONEDNN]) * _CLEARLY < min(seconds[DEFAULT]) else DEFAULT


def _by_onednn(inputs: Tensor, kernel: str) -> bool:
    plain = inputs.dtype == torch.float32 and inputs.device.type == "cpu"
    return kernel == ONEDNN and plain and inputs.numel() > 0  # oneDNN refuses a matrix of nothing


def _multiply(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`linear` of (N, I) by oneDNN, without gradients."""
    return onednn_linear(_dense(inputs), _dense(weight), bias)


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
            of_weight = weight_gradient(flat, inputs.flatten(0, -2), ONEDNN)
        if ctx.has_bias and ctx.needs_input_grad[2]:
            of_bias = flat.sum(0)
        return of_inputs, of_weight, of_bias


class _LinearAdd(Function):
    """`linear_add` by oneDNN."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, base: Tensor) -> Tensor:
        """See `linear_add`."""
        ctx.save_for_backward(weight)
        return onednn_linear_add(_dense(inputs), _dense(weight), base)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs and of the base."""
        (weight,) = ctx.saved_tensors
        return (_multiply(gradient, weight.t()) if ctx.needs_input_grad[0] else None), None, gradient
