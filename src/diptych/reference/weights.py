"""Weights in and out of the panel, as NumPy arrays in the names and shapes of the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from diptych.parameters.specification import Parameter
from diptych.reference.model import Model


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
    variable: ndarray
    parameters: tuple[Parameter, ...]

    def pack(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The variable's value from the specification's arrays, by name; a copy."""
        return np.array(values[self.parameters[0].name])

    def unpack(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """The specification's arrays, by name, from a value shaped like the variable; copies."""
        return {self.parameters[0].name: np.array(value)}


def bindings(model: Model) -> list[Binding]:
    """Every trained variable of the model, in the specification's order."""
    listed = []
    for name, parameter in model.specification.items():
        owner = model
        *path, attribute = name.split(".")
        for part in path:
            owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
        listed.append(
            Binding(name, layer=type(owner).__name__, variable=getattr(owner, attribute), parameters=(parameter,))
        )
    return listed


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


def assign(variable: ndarray, value: np.ndarray) -> None:
    """Set a variable to a value of the same shape, cast to the variable's type."""
    if variable.shape != value.shape:
        raise ValueError(f"got shape {value.shape}, expected {variable.shape}")
    variable[...] = value


def to_tensor(array: np.ndarray) -> ndarray:
    """An array as a tensor on the panel's device; a copy."""
    return np.array(array)


def to_array(tensor: ndarray) -> np.ndarray:
    """A tensor as an array; bfloat16 becomes float32."""
    return tensor
