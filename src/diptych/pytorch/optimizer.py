"""What changes the weights: the optimizers, and their moving average (docs/equations.md, 17, 18, 21, 24)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from diptych.config import TrainingConfig
from diptych.pytorch.linear import in_rows
from diptych.pytorch.private import adam_each
from diptych.pytorch.weights import Binding, assign, to_array

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
        # What changes all of them in one pass wants them row after row in memory: they and their moments are seen so.
        self.rows = [in_rows(each, each.detach()) for each in (binding.variable for binding in variables)]
        if config.optimizer == "sgd":
            kinds = ["velocity"] if config.momentum > 0.0 else []
        else:
            kinds = ["first_moment", "second_moment"]
        self.moments = {kind: [torch.zeros_like(rows) for rows in self.rows] for kind in kinds}

    def apply(self, gradients: list[Tensor], learning_rate: float, steps: int) -> None:
        """Change every variable along its gradient; `steps` counts from 1 and includes this one."""
        config = self.config
        pairs = zip(self.bindings, gradients, strict=True)
        own = [in_rows(binding.variable, gradient) for binding, gradient in pairs]
        if config.optimizer != "sgd":  # not `torch.optim`'s, which imports PyTorch's compiler: a second at the start
            moments = self.moments["first_moment"], self.moments["second_moment"]
            adam_each(self.rows, own, *moments, steps=steps, learning_rate=learning_rate, config=config)
            return
        for i, (rows, gradient) in enumerate(zip(self.rows, own, strict=True)):
            if config.weight_decay > 0.0:
                gradient = gradient + config.weight_decay * rows
            if config.momentum > 0.0:
                gradient = self.moments["velocity"][i].mul_(config.momentum).add_(gradient)
            rows.sub_(gradient, alpha=learning_rate)

    def export_state(self) -> dict[str, np.ndarray]:
        """The moments as arrays by name, `first_moment.NAME` and so on; copies."""
        exported: dict[str, np.ndarray] = {}
        for kind, moments in self.moments.items():
            for binding, moment in zip(self.bindings, moments, strict=True):
                value = to_array(in_rows(binding.variable, moment))
                exported |= {f"{kind}.{name}": array for name, array in binding.unpack(value).items()}
        return exported

    def load_state(self, arrays: Mapping[str, np.ndarray], steps: int) -> None:
        """Go on from arrays that `export_state` gave after so many steps."""
        self.steps = steps
        for kind, moments in self.moments.items():
            for binding, moment in zip(self.bindings, moments, strict=True):
                names = [parameter.name for parameter in binding.parameters]
                values = {name: arrays[f"{kind}.{name}"] for name in names}
                assign(in_rows(binding.variable, moment), binding.pack(values))


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
        self.values = [binding.variable.detach().clone() for binding in self.bindings]

    def update(self, steps: int) -> None:
        """Take in the variables after so many steps; early on the average is a short one: (1 + t) / (10 + t)."""
        share = 1.0 - min(self.decay, (1.0 + steps) / (10.0 + steps))
        if self.exact:
            share = max(1, round(share * SHARE_SCALE)) / SHARE_SCALE
        for value, binding in zip(self.values, self.bindings, strict=True):
            value.add_(binding.variable.detach() - value, alpha=share)
            if self.exact:
                value.mul_(AVERAGE_SCALE).round_().div_(AVERAGE_SCALE)

    def swap(self) -> None:
        """Exchange the averages and the variables' values."""
        for value, binding in zip(self.values, self.bindings, strict=True):
            own = binding.variable.detach().clone()
            binding.variable.detach().copy_(value)
            value.copy_(own)
