"""Adam's state, which travels with a model: what it has seen of each weight's gradients, and after how many steps.

D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, 2015. Both frameworks keep the same two averages;
they differ in where epsilon stands, so training goes on from the same state but not with the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from diptych.convert.graph import Array

EPSILON = (
    "training from Adam's state: Keras adds epsilon before the correction of the bias, PyTorch after it "
    "(diptych differences epsilon_placement)"
)


@dataclass(frozen=True, eq=False)
class Adam:
    """Adam or AdamW after some steps.

    Attributes:
        step: how many were made.
        rate: the learning rate.
        betas: of the first and the second average.
        epsilon: added to the root of the second.
        decay: of the weights, decoupled; 0 for Adam.
        first: the average of each weight's gradients, by the graph's names.
        second: that of their squares.
    """

    step: int
    rate: float
    betas: tuple[float, float]
    epsilon: float
    decay: float
    first: Mapping[str, Array]
    second: Mapping[str, Array]

    @property
    def settings(self) -> dict[str, float]:
        """What it was set to, as plain values."""
        return {
            "step": self.step, "rate": self.rate, "beta_1": self.betas[0], "beta_2": self.betas[1],
            "epsilon": self.epsilon, "decay": self.decay,
        }  # fmt: skip

    def without(self, names: set[str]) -> Adam:
        """The same with zeros for some weights."""

        def zeroed(moments: Mapping[str, Array]) -> dict[str, Array]:
            return {name: value * 0 if name in names else value for name, value in moments.items()}

        return replace(self, first=zeroed(self.first), second=zeroed(self.second))

    def stepped(
        self, weights: Mapping[str, Array], gradients: Mapping[str, Array], corrected_first: bool
    ) -> dict[str, Array]:
        """The weights after one more step.

        Args:
            weights: by name.
            gradients: of those that are moved.
            corrected_first: whether epsilon is added after the correction of the bias (PyTorch) or before it (Keras).
        """
        one, two = self.betas
        corrections = 1 - one ** (self.step + 1), 1 - two ** (self.step + 1)
        moved = {}
        for name, gradient in gradients.items():
            first = one * self.first[name].astype(np.float64) + (1 - one) * gradient
            second = two * self.second[name].astype(np.float64) + (1 - two) * gradient * gradient
            epsilon = self.epsilon * (np.sqrt(corrections[1]) if corrected_first else 1.0)
            change = first / corrections[0] * np.sqrt(corrections[1]) / (np.sqrt(second) + epsilon)
            moved[name] = weights[name] * (1 - self.rate * self.decay) - self.rate * change
        return moved
