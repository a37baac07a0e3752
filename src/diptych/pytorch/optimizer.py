"""What changes the weights: the optimizers, and their moving average (docs/equations.md, 17, 18, 21, 24)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from diptych.config import TrainingConfig
from diptych.pytorch.linear import in_rows
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
        # The fused optimizers copy what does not lie in memory row after row: they are given what does.
        self.rows = [nn.Parameter(in_rows(each, each.detach())) for each in (binding.variable for binding in variables)]
        if config.optimizer == "sgd":
            self.kinds = {"velocity": "momentum_buffer"} if config.momentum > 0.0 else {}
            self.optimizer = torch.optim.SGD(
                self.rows, config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
            )
        else:
            self.kinds = {"first_moment": "exp_avg", "second_moment": "exp_avg_sq"}
            kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
            betas = (config.beta1, config.beta2)
            self.optimizer = kind(
                self.rows, config.learning_rate, betas, config.epsilon, config.weight_decay, fused=True
            )

    def apply(self, gradients: list[Tensor], learning_rate: float, steps: int) -> None:
        """Change every variable along its gradient; `steps` counts from 1 and includes this one."""
        for rows, binding, gradient in zip(self.rows, self.bindings, gradients, strict=True):
            rows.grad = in_rows(binding.variable, gradient)
        self.optimizer.param_groups[0]["lr"] = learning_rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def export_state(self) -> dict[str, np.ndarray]:
        """The moments as arrays by name, `first_moment.NAME` and so on; copies."""
        exported: dict[str, np.ndarray] = {}
        for kind, own in self.kinds.items():
            for rows, binding in zip(self.rows, self.bindings, strict=True):
                variable, state = binding.variable, self.optimizer.state.get(rows, {})
                value = to_array(in_rows(variable, state[own])) if own in state else np.zeros(tuple(variable.shape))
                exported |= {f"{kind}.{name}": array for name, array in binding.unpack(value).items()}
        return exported

    def load_state(self, arrays: Mapping[str, np.ndarray], steps: int) -> None:
        """Go on from arrays that `export_state` gave after so many steps."""
        self.steps = steps
        for rows, binding in zip(self.rows, self.bindings, strict=True):
            state = {} if self.config.optimizer == "sgd" else {"step": torch.tensor(float(steps), device=rows.device)}
            for kind, own in self.kinds.items():
                names = [parameter.name for parameter in binding.parameters]
                values = {name: arrays[f"{kind}.{name}"] for name in names}
                state[own] = torch.zeros_like(rows)
                assign(in_rows(binding.variable, state[own]), binding.pack(values))
            self.optimizer.state[rows] = state


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
