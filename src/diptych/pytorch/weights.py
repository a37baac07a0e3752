"""Weights in and out of the panel, as NumPy arrays in the names and shapes of the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diptych.parameters.specification import Parameter
from diptych.pytorch.model import Model


@dataclass(frozen=True)
class Binding:
    """One trained variable of the panel and the weights of the specification that it holds.

    Attributes:
        name: the attributes that lead to it from the model.
        layer: what kind of layer it belongs to.
        variable: the panel's own variable.
        parameters: the weights in it; here always one, in the same orientation.
    """

    name: str
    layer: str
    variable: torch.nn.Parameter
    parameters: tuple[Parameter, ...]

    def pack(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The variable's value from the specification's arrays, by name; a copy."""
        return np.array(values[self.parameters[0].name], order="C")

    def unpack(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """The specification's arrays, by name, from a value shaped like the variable; copies."""
        return {self.parameters[0].name: np.array(value, order="C")}

    def locate(self, index: tuple[int, ...]) -> tuple[str, int]:
        """Which of the specification's numbers lies there in the variable: its name, and where, row after row."""
        parameter = self.parameters[0]
        return parameter.name, int(np.ravel_multi_index(index, parameter.shape))


def bindings(model: Model) -> list[Binding]:
    """Every trained variable of the model, in the specification's order."""
    variables = dict(model.named_parameters())
    layers = {name: type(model.get_submodule(name.rpartition(".")[0])).__name__ for name in variables}
    return [
        Binding(name, layer=layers[name], variable=variables[name], parameters=(each,))
        for name, each in model.specification.items()
    ]


def load_parameters(model: Model, parameters: Mapping[str, np.ndarray]) -> None:
    """Set the model's weights from arrays by name, cast to the model's precision; the arrays are copied."""
    for binding in bindings(model):
        assign(binding.variable, binding.pack(parameters))


def export_parameters(model: Model) -> dict[str, np.ndarray]:
    """The model's weights as arrays by name, in the specification's order; copies."""
    exported: dict[str, np.ndarray] = {}
    for binding in bindings(model):
        exported |= binding.unpack(to_array(binding.variable))
    return {name: exported[name] for name in model.specification}


def assign(variable: Tensor, value: np.ndarray) -> None:
    """Set a variable to a value of the same shape, cast to the variable's type."""
    with torch.no_grad():
        variable.copy_(torch.from_numpy(value))


def to_tensor(array: np.ndarray) -> Tensor:
    """An array as a tensor on the panel's device; a copy."""
    return torch.from_numpy(np.array(array)).to(torch.get_default_device())


def to_array(tensor: Tensor) -> np.ndarray:
    """A tensor as an array; bfloat16 becomes float32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).cpu().numpy()
