"""What changes the weights: the optimizers, and their moving average (docs/equations.md, 17, 18, 21, 24)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import TrainingConfig
from diptych.tensorflow.weights import Binding, assign, to_array

AVERAGE_SCALE = 2.0**32
"""Exact training's averages are multiples of 1 / this."""
SHARE_SCALE = 2.0**20
"""And so are their shares of this: a product of both is a multiple of 2^-52, exact in float64 while it is below 2."""


class Optimizer:
    """Adam, AdamW or SGD over the model's variables (Kingma and Ba, 2015; Loshchilov and Hutter, 2019)."""

    def __init__(self, variables: list[Binding], config: TrainingConfig) -> None:
        """Start with moments of zero."""
        self.bindings = variables
        self.config = config
        self.steps = 0
        if config.optimizer == "sgd":
            kinds = ["velocity"] if config.momentum > 0.0 else []
        else:
            kinds = ["first_moment", "second_moment"]
        self.moments = {
            kind: [tf.Variable(tf.zeros_like(binding.variable), trainable=False) for binding in variables]
            for kind in kinds
        }

    def apply(self, gradients: list[Tensor], learning_rate: Tensor, steps: Tensor) -> None:
        """Change every variable along its gradient; `steps` counts from 1 and includes this one."""
        config = self.config
        # Corrections are computed in float64, so that float32 rounding of the betas does not enter.
        steps = tf.cast(steps, tf.float64)
        step_size = learning_rate / (1.0 - tf.pow(tf.constant(config.beta1, tf.float64), steps))
        correction = tf.sqrt(1.0 - tf.pow(tf.constant(config.beta2, tf.float64), steps))
        for i, (binding, gradient) in enumerate(zip(self.bindings, gradients, strict=True)):
            variable = binding.variable.value
            rate, size, root = (tf.cast(number, variable.dtype) for number in (learning_rate, step_size, correction))
            if config.weight_decay > 0.0 and config.optimizer == "adamw":
                variable.assign(variable * (1.0 - rate * config.weight_decay))
            elif config.weight_decay > 0.0:
                gradient = gradient + config.weight_decay * variable
            if config.optimizer != "sgd":
                first, second = self.moments["first_moment"][i], self.moments["second_moment"][i]
                first.assign(first + (gradient - first) * (1.0 - config.beta1))
                second.assign(second * config.beta2 + tf.square(gradient) * (1.0 - config.beta2))
                variable.assign_sub(size * first / (tf.sqrt(second) / root + config.epsilon))
            elif config.momentum > 0.0:
                velocity = self.moments["velocity"][i]
                variable.assign_sub(rate * velocity.assign(velocity * config.momentum + gradient))
            else:
                variable.assign_sub(rate * gradient)

    def export_state(self) -> dict[str, np.ndarray]:
        """The moments as arrays by name, `first_moment.NAME` and so on; copies."""
        exported: dict[str, np.ndarray] = {}
        for kind, variables in self.moments.items():
            for binding, variable in zip(self.bindings, variables, strict=True):
                value = to_array(variable)
                exported |= {f"{kind}.{name}": array for name, array in binding.unpack(value).items()}
        return exported

    def load_state(self, arrays: Mapping[str, np.ndarray], steps: int) -> None:
        """Go on from arrays that `export_state` gave after so many steps."""
        self.steps = steps
        for kind, variables in self.moments.items():
            for binding, variable in zip(self.bindings, variables, strict=True):
                names = [parameter.name for parameter in binding.parameters]
                values = {name: arrays[f"{kind}.{name}"] for name in names}
                assign(variable, binding.pack(values))


class MovingAverage:
    """An exponential moving average of the model's variables (equation 21), or none if its decay is 0.

    In exact training it has a fine grid of its own and shares of few digits, so that no sum or product in it is ever
    rounded but in one way (equation 24).

    Attributes:
        values: the average of each variable; while they are swapped, the variable's own value.
    """

    def __init__(self, variables: list[Binding], decay: float, exact: bool = False) -> None:
        """Start from the variables' values."""
        self.bindings = variables if decay > 0.0 else []
        self.decay = decay
        self.exact = exact
        self.values = [tf.Variable(binding.variable.value, trainable=False) for binding in self.bindings]

    def update(self, steps: Tensor) -> None:
        """Take in the variables after so many steps; early on the average is a short one: (1 + t) / (10 + t)."""
        steps = tf.cast(steps, tf.float64)
        share = 1.0 - tf.minimum(tf.constant(self.decay, tf.float64), (1.0 + steps) / (10.0 + steps))
        if self.exact:
            share = tf.maximum(tf.round(share * SHARE_SCALE), 1.0) / SHARE_SCALE
        for value, binding in zip(self.values, self.bindings, strict=True):
            value.assign_add((binding.variable.value - value) * tf.cast(share, value.dtype))
            if self.exact:
                value.assign(tf.round(value * AVERAGE_SCALE) / AVERAGE_SCALE)

    def swap(self) -> None:
        """Exchange the averages and the variables' values."""
        for value, binding in zip(self.values, self.bindings, strict=True):
            own = tf.identity(binding.variable.value)
            binding.variable.assign(value)
            value.assign(own)
