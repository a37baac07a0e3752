"""Matrix products with a weight, by the kernels that the model was given."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from diptych.pytorch.kernels import BY_ONEDNN, ONEDNN, PLAIN, Choice, Kernels, Shape, Timed, told
from diptych.pytorch.private import has_onednn, onednn_linear, onednn_linear_add

PRODUCTS = "matrix products"
"""What the kernels are the choice of, in a panel's `choices`."""


class Arithmetic(NamedTuple):
    """In what a layer keeps its weights, and how it multiplies with them.

    Attributes:
        dtype: of the weights; None: PyTorch's default dtype.
        choice: which kernels multiply in float32 on a processor; elsewhere PyTorch's default does.
    """

    dtype: torch.dtype | None
    choice: Choice

    def matrix(self, outputs: int, inputs: int) -> nn.Parameter:
        """A weight (O, I) of zeros, laid out in memory as its kernels read it best."""
        weight = torch.zeros(outputs, inputs, dtype=self.dtype)
        by_columns = _is_plain(weight) and self.kernels(weight).by_columns
        return nn.Parameter(weight.t().contiguous().t() if by_columns else weight)

    def vector(self, size: int) -> nn.Parameter:
        """A bias of zeros."""
        return nn.Parameter(torch.zeros(size, dtype=self.dtype))

    def kernels(self, weight: Tensor) -> Kernels:
        """Those of a weight (O, I)."""
        return self.choice.of((weight.shape[0], weight.shape[1]))


STANDARD = Arithmetic(None, Choice({}))


def choice_among(choices: Mapping[str, str]) -> Choice:
    """What a panel's choices say of its products; the default where oneDNN is not there."""
    return told(choices.get(PRODUCTS, "")) if has_onednn() else STANDARD.choice


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None, kernels: Kernels) -> Tensor:
    """Inputs (..., I) and a weight (O, I) give (..., O), the bias (O,) added."""
    if kernels == PLAIN or not _is_plain(inputs):
        return F.linear(inputs, weight, bias)
    return _Linear.apply(inputs, weight, bias, kernels)


def linear_add(inputs: Tensor, weight: Tensor, base: Tensor, kernels: Kernels) -> Tensor:
    """Inputs (B, I) and a weight (O, I), which gets no gradient, give (B, O), the base (B, O) added."""
    if kernels == PLAIN or not _is_plain(inputs):
        return torch.addmm(base, inputs, weight.t())
    return _LinearAdd.apply(inputs, weight, base, kernels)


def weight_gradient(gradient: Tensor, inputs: Tensor, kernels: Kernels) -> Tensor:
    """The gradient (O, I) of a weight, laid out as it, from that of its products (N, O) and from its inputs (N, I)."""
    if kernels == PLAIN or not _is_plain(inputs):
        return gradient.t() @ inputs
    if kernels.by_columns:
        return _multiply(kernels.weight, inputs.t(), gradient.t()).t()
    return _multiply(kernels.weight, gradient.t(), inputs.t())


def in_rows(variable: Tensor, tensor: Tensor) -> Tensor:
    """A tensor laid out as this variable, seen such that it lies in memory row after row; or back again."""
    return tensor if variable.is_contiguous() else tensor.t()


def product_timer(kernel: str, shape: Shape, rows: int) -> Timed:
    """What times a product of rows (N, I) with a weight (O, I), their gradient and the weight's."""
    outputs, inputs = shape
    kernels = BY_ONEDNN if kernel == ONEDNN else PLAIN
    weight = Arithmetic(torch.float32, Choice({}, kernels)).matrix(outputs, inputs).detach()
    vectors, gradient = torch.ones(rows, inputs), torch.ones(rows, outputs)
    products = (
        lambda: _multiply(kernel, vectors, weight),
        lambda: _multiply(kernel, gradient, weight.t()),
        lambda: weight_gradient(gradient, vectors, kernels),
    )

    def seconds() -> tuple[float, ...]:
        marks = [time.perf_counter()]
        for product in products:
            product()
            marks.append(time.perf_counter())
        return tuple(end - begin for begin, end in pairwise(marks))

    return seconds


def _is_plain(inputs: Tensor) -> bool:
    """Whether oneDNN could multiply these, which refuses a matrix of nothing."""
    return inputs.dtype == torch.float32 and inputs.device.type == "cpu" and inputs.numel() > 0


def _multiply(kernel: str, inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`linear` of (N, I) by this kernel, without gradients."""
    if kernel == ONEDNN:
        return onednn_linear(_dense(inputs), _dense(weight), bias)
    return F.linear(inputs, weight, bias)


def _dense(matrix: Tensor) -> Tensor:
    """The matrix without gaps, by rows or by columns: with gaps oneDNN is slower by orders of magnitude."""
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()


class _Linear(Function):
    """`linear` by kernels of its own in each direction."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None, kernels: Kernels) -> Tensor:
        """See `linear`."""
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias, ctx.kernels = bias is not None, kernels
        return _multiply(kernels.forward, inputs.flatten(0, -2), weight=weight, bias=bias).view(*inputs.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients that are asked for."""
        inputs, weight = ctx.saved_tensors
        flat = gradient.flatten(0, -2)
        of_inputs = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_inputs = _multiply(ctx.kernels.inputs, flat, weight.t()).view(inputs.shape)
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(flat, inputs.flatten(0, -2), ctx.kernels)
        if ctx.has_bias and ctx.needs_input_grad[2]:
            of_bias = flat.sum(0)
        return of_inputs, of_weight, of_bias, None


class _LinearAdd(Function):
    """`linear_add` by kernels of its own in each direction."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, base: Tensor, kernels: Kernels) -> Tensor:
        """See `linear_add`."""
        ctx.save_for_backward(weight)
        ctx.kernel = kernels.inputs
        if kernels.forward == ONEDNN:
            return onednn_linear_add(_dense(inputs), _dense(weight), base)
        return torch.addmm(base, inputs, weight.t())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs and of the base."""
        (weight,) = ctx.saved_tensors
        of_inputs = _multiply(ctx.kernel, gradient, weight.t()) if ctx.needs_input_grad[0] else None
        return of_inputs, None, gradient, None
