"""What PyTorch keeps to itself and this panel calls all the same, because it is faster; all of it is here.

Any version may take it away. So each is asked for, and where it is not there, the same is computed without it: by
PyTorch's default kernel, which is what `linear.kernel_of` then gives, and by loops over tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from diptych.config import TrainingConfig


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


def adam_each(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    first_moments: Sequence[Tensor],
    second_moments: Sequence[Tensor],
    *,
    steps: int,
    learning_rate: float,
    config: TrainingConfig,
) -> None:
    """Change each weight and its moments as the config's Adam or AdamW does (docs/equations.md, 17)."""
    decoupled = config.optimizer == "adamw"
    in_one_pass = getattr(torch, "_fused_adamw_" if decoupled else "_fused_adam_", None)
    if in_one_pass is not None:  # what PyTorch's own optimizers call
        counts = [torch.full((), float(steps), device=weight.device) for weight in weights]
        in_one_pass(
            weights, gradients, first_moments, second_moments, [], counts, lr=learning_rate,
            beta1=config.beta1, beta2=config.beta2, weight_decay=config.weight_decay, eps=config.epsilon,
            amsgrad=False, maximize=False,
        )  # fmt: skip
        return
    size = learning_rate / (1.0 - config.beta1**steps)
    root = (1.0 - config.beta2**steps) ** 0.5
    for weight, gradient, first, second in zip(weights, gradients, first_moments, second_moments, strict=True):
        if decoupled:
            weight.mul_(1.0 - learning_rate * config.weight_decay)
        elif config.weight_decay > 0.0:
            gradient = gradient + config.weight_decay * weight
        first.mul_(config.beta1).add_(gradient, alpha=1.0 - config.beta1)
        second.mul_(config.beta2).addcmul_(gradient, gradient, value=1.0 - config.beta2)
        weight.addcdiv_(first, (second.sqrt() / root).add_(config.epsilon), value=-size)
