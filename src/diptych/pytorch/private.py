"""What PyTorch keeps to itself and this panel calls all the same, because it is faster; all of it is here.

Any version may take it away. So each is asked for, and where it is not there, the same is computed without it: by
PyTorch's default kernel, which is what `linear.kernel_of` then gives, and by loops over tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def has_onednn() -> bool:
    """Whether oneDNN's products can be called."""
    return torch.backends.mkldnn.is_available() and hasattr(_operator(), "binary")


def onednn_linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Inputs (N, I) and a weight (O, I) give (N, O), the bias (O,) added; without gradients."""
    product: Tensor = _operator()(inputs, weight, bias, "none", [], "")
    return product


def onednn_linear_add(inputs: Tensor, weight: Tensor, base: Tensor) -> Tensor:
    """Inputs (B, I) and a weight (O, I) give (B, O), the base (B, O) added; without gradients."""
    product: Tensor = _operator().binary(inputs, base, weight, None, "add")
    return product


def _operator() -> Any:
    """oneDNN's product in float32, made for PyTorch's compiler; with one more input as its `binary`. Or None."""
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def add_each(totals: Sequence[Tensor], parts: Sequence[Tensor], share: float) -> None:
    """Add to each total this share of its part."""
    if hasattr(torch, "_foreach_add_"):  # what PyTorch's own optimizers do with many tensors at once
        torch._foreach_add_(totals, parts, alpha=share)
        return
    for total, part in zip(totals, parts, strict=True):
        total.add_(part, alpha=share)


def scale_each(tensors: Sequence[Tensor], factor: Tensor) -> None:
    """Multiply each tensor by a number."""
    if hasattr(torch, "_foreach_mul_"):
        torch._foreach_mul_(tensors, factor)
        return
    for tensor in tensors:
        tensor.mul_(factor)
