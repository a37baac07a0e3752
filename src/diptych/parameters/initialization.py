"""The first values of every weight, in NumPy float64, the same for every backend.

Each weight has its own generator, keyed by the seed and its name: it does not depend on the order in which the others
are drawn, nor on whether they exist. By kind of weight:

- embedding: normal, standard deviation 1 / sqrt(E), so that a token's vector has length about 1, and logits of a tied
  output layer start near 0.
- input: uniform within sqrt(6 / (inputs + outputs)), each gate by itself (Glorot and Bengio, 2010, "Understanding the
  difficulty of training deep feedforward neural networks").
- recurrent: each gate an orthogonal matrix of its own (Saxe et al., 2014, "Exact solutions to the nonlinear dynamics
  of learning in deep linear neural networks").
- dense: uniform as for input.
- bias: 0, but 1 for an LSTM's forget gate, so that it starts by remembering (Jozefowicz et al., 2015, "An empirical
  exploration of recurrent network architectures").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from diptych.config import ModelConfig
from diptych.parameters.specification import Parameter, specification
from diptych.randomness import generator

Values = npt.NDArray[np.float64]


def initial_parameters(
    config: ModelConfig, source_vocabulary_size: int, target_vocabulary_size: int, seed: int
) -> dict[str, Values]:
    """The first value of every weight in the model's specification, in its order."""
    weights = specification(config, source_vocabulary_size, target_vocabulary_size)
    return {name: _initial_value(weight, generator(seed, "initial", name)) for name, weight in weights.items()}


def _initial_value(weight: Parameter, random: np.random.Generator) -> Values:
    """One weight, drawn as its kind says."""
    if weight.kind == "embedding":
        return random.normal(0.0, weight.shape[1] ** -0.5, weight.shape)
    if weight.kind == "dense":
        return _glorot(weight.shape, random)
    if weight.kind == "bias":
        gates = weight.gates or "-"  # a dense layer's bias is one block of zeros
        return np.repeat([1.0 if gate == "f" else 0.0 for gate in gates], weight.shape[0] // len(gates))
    draw = _orthogonal if weight.kind == "recurrent" else _glorot
    by_gate = [draw((weight.shape[0] // len(weight.gates), weight.shape[1]), random) for _ in weight.gates]
    return np.concatenate(by_gate)


def _glorot(shape: tuple[int, ...], random: np.random.Generator) -> Values:
    """A (rows, columns) matrix, uniform within sqrt(6 / (rows + columns))."""
    limit = np.sqrt(6.0 / sum(shape))
    return random.uniform(-limit, limit, shape)


def _orthogonal(shape: tuple[int, ...], random: np.random.Generator) -> Values:
    """A square orthogonal matrix, every one equally likely: the Q of a normal matrix, with R's diagonal positive."""
    orthogonal, triangular = np.linalg.qr(random.standard_normal(shape))
    signed: Values = orthogonal * np.where(np.diag(triangular) < 0.0, -1.0, 1.0)
    return signed
