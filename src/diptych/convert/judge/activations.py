"""Activations by name, written so that a complex step differentiates them: they branch on the real part only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.kinds import Function

Values = npt.NDArray[Any]


def sigmoid(x: Values) -> Values:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(np.where(x.real < 0, x, -x))
    return np.asarray(np.where(x.real < 0, small / (1 + small), 1 / (1 + small)))


def softmax(x: Values, axis: int = -1) -> Values:
    """exp(x), divided by its sum along an axis."""
    with np.errstate(invalid="ignore"):  # of nothing but minus infinity, as where all is masked, it is NaN
        powers = np.exp(x - x.real.max(axis=axis, keepdims=True))
        return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def clipped(x: Values, low: float, high: float) -> Values:
    """x within two bounds."""
    return np.asarray(np.where(x.real < low, low, np.where(x.real > high, high, x)))


def softplus(x: Values) -> Values:
    """log(1 + exp(x)), without overflow."""
    return np.asarray(np.where(x.real > 0, x, 0) + np.log1p(np.exp(np.where(x.real > 0, -x, x))))


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717

FUNCTIONS: dict[str, Callable[[Values, float], Values]] = {
    "linear": lambda x, _: x,
    "tanh": lambda x, _: np.tanh(x),
    "sigmoid": lambda x, _: sigmoid(x),
    # Keras 1 and 2: 0.2 x + 0.5 within 0 and 1. Keras 3 and PyTorch: x / 6 + 0.5.
    "hard_sigmoid_keras_2": lambda x, _: clipped(0.2 * x + 0.5, 0.0, 1.0),
    "hard_sigmoid": lambda x, _: clipped(x / 6 + 0.5, 0.0, 1.0),
    "relu": lambda x, _: np.where(x.real > 0, x, 0),
    "relu6": lambda x, _: clipped(x, 0.0, 6.0),
    "leaky_relu": lambda x, slope: np.where(x.real > 0, x, slope * x),
    "elu": lambda x, alpha: np.where(x.real > 0, x, alpha * np.expm1(np.where(x.real > 0, 0, x))),
    "selu": lambda x, _: SELU_SCALE * np.where(x.real > 0, x, SELU_ALPHA * np.expm1(np.where(x.real > 0, 0, x))),
    "softsign": lambda x, _: x / (1 + np.where(x.real < 0, -x, x)),
    "softplus": lambda x, _: softplus(x),
    "silu": lambda x, _: x * sigmoid(x),
    "exponential": lambda x, _: np.exp(x),
}
"""Of each element; the second argument is the parameter, 0 where there is none."""


def apply(function: Function, x: Values, axis: int = -1) -> Values:
    """What an activation makes of x; `softmax` and `log_softmax` along an axis."""
    if function.name == "softmax":
        return softmax(x, axis)
    if function.name == "log_softmax":
        shifted = x - x.real.max(axis=axis, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))
    return np.asarray(FUNCTIONS[function.name](x, function.parameter or 0.0))
