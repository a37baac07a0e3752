"""Weights in and out of the panel, as NumPy arrays in the names and shapes of the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from diptych.parameters.specification import Parameter
from diptych.tensorflow.model import Model

# Keras stacks a GRU's gates in another order: z (update), r (reset), n (which it calls h).
KERAS_GATES = {"rzn": "zrn", "ifgo": "ifgo", "n": "n"}
KERAS_NAMES = {"weight_ih": "kernel", "weight_hh": "recurrent_kernel", "bias_ih": "bias", "bias_hh": "bias"}


@dataclass(frozen=True)
class Binding:
    """One trained variable of the panel and the weights of the specification that it holds.

    Attributes:
        name: the attributes that lead to it from the model.
        layer: what kind of layer it belongs to.
        variable: the panel's own variable.
        parameters: the weights in it; a GRU's two biases are one variable here, and matrices are transposed.
    """

    name: str
    layer: str
    variable: keras.Variable
    parameters: tuple[Parameter, ...]

    def pack(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The variable's value from the specification's arrays, by name; a copy."""
        arrays = [self._to_keras(parameter, values[parameter.name]) for parameter in self.parameters]
        return np.stack(arrays) if len(arrays) == 2 else arrays[0]

    def unpack(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """The specification's arrays, by name, from a value shaped like the variable; copies."""
        arrays = value if len(self.parameters) == 2 else [value]
        pairs = zip(self.parameters, arrays, strict=True)
        return {parameter.name: self._from_keras(parameter, array) for parameter, array in pairs}

    def locate(self, index: tuple[int, ...]) -> tuple[str, int]:
        """Which of the specification's numbers lies there in the variable: its name, and where, row after row."""
        number, place = (index[0], index[1:]) if len(self.parameters) == 2 else (0, index)
        parameter = self.parameters[number]
        row, *columns = place if parameter.kind in ("bias", "embedding") else reversed(place)
        if parameter.gates:
            size = parameter.shape[0] // len(parameter.gates)
            row = parameter.gates.index(KERAS_GATES[parameter.gates][row // size]) * size + row % size
        return parameter.name, int(np.ravel_multi_index((row, *columns), parameter.shape))

    def _to_keras(self, parameter: Parameter, array: np.ndarray) -> np.ndarray:
        array = reorder_gates(array, parameter.gates, KERAS_GATES.get(parameter.gates, ""))
        return np.array(array if parameter.kind in ("bias", "embedding") else array.T, order="C")

    def _from_keras(self, parameter: Parameter, array: np.ndarray) -> np.ndarray:
        array = array if parameter.kind in ("bias", "embedding") else array.T
        return np.array(reorder_gates(array, KERAS_GATES.get(parameter.gates, ""), parameter.gates), order="C")


def bindings(model: Model) -> list[Binding]:
    """Every trained variable of the model, in the specification's order."""
    made: dict[str, Binding] = {}
    for name, parameter in model.specification.items():
        owner = model
        *path, attribute = name.split(".")
        for part in path:
            owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
        if parameter.gates:
            attribute = KERAS_NAMES[attribute]
        variable, where = getattr(owner, attribute), ".".join((*path, attribute))
        earlier = made[where].parameters if where in made else ()
        made[where] = Binding(where, layer=type(owner).__name__, variable=variable, parameters=(*earlier, parameter))
    return list(made.values())


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


def assign(variable: keras.Variable | tf.Variable, value: np.ndarray) -> None:
    """Set a variable to a value of the same shape, cast to the variable's type."""
    variable.assign(value.astype(tf.as_dtype(variable.dtype).as_numpy_dtype))


def to_tensor(array: np.ndarray) -> Tensor:
    """An array as a tensor on the panel's device; a copy."""
    return tf.constant(array)


def to_array(tensor: Tensor | keras.Variable) -> np.ndarray:
    """A tensor as an array; bfloat16 becomes float32."""
    tensor = tf.convert_to_tensor(tensor)
    return (tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor).numpy()


def reorder_gates(array: np.ndarray, gates: str, wanted: str) -> np.ndarray:
    """Put the gates stacked along the first axis into another order; no gates: unchanged."""
    if gates == wanted:
        return array
    blocks = dict(zip(gates, np.split(array, len(gates)), strict=True))
    return np.concatenate([blocks[gate] for gate in wanted])
