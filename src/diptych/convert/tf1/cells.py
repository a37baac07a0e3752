"""The recurrent cells of TensorFlow 1 by their weights: kernels on [x; h], gates i, j, f, o, a forget bias at run time.

In an LSTM, j is the candidate g; the forget bias is added at every step and is not in the file, so it is put into the
bias here. A GRU's gates are r, u, and its candidate is computed from [x; r h]: it resets before the product.
"""

from __future__ import annotations

import numpy as np

from diptych.convert.graph import Array

CELLS = (
    "BasicLSTMCell", "LSTMCell", "LSTMBlockCell", "LSTMBlockFusedCell", "BlockLSTM", "BlockLSTMV2", "GRUCell",
    "GRUBlockCell", "BasicRNNCell",
)  # fmt: skip


def lstm_weights(kernel: Array, bias: Array, forget_bias: float, states: int, gates: str = "igfo") -> dict[str, Array]:
    """An LSTM's weights in the order i, f, g, o.

    Args:
        kernel: (I + states, 4 H).
        bias: (4 H,).
        forget_bias: added to the forget gate at every step.
        states: the width of h.
        gates: their order in the file.
    """
    kernels = dict(zip(gates, np.split(kernel, 4, axis=1)))
    biases = dict(zip(gates, np.split(bias, 4)))
    biases["f"] = raised(biases["f"], forget_bias)
    return split_kernel(
        np.concatenate([kernels[gate] for gate in "ifgo"], axis=1),
        np.concatenate([biases[gate] for gate in "ifgo"]),
        states,
    )


def raised(bias: Array, amount: float) -> Array:
    """A bias and what is added to it, in float64 where float32 would round the sum."""
    exact = bias.astype(np.float64) + amount
    rounded = exact.astype(bias.dtype)
    return rounded if np.array_equal(rounded, exact) else exact


def gru_weights(gates: Array, candidate: Array, gates_bias: Array, candidate_bias: Array) -> dict[str, Array]:
    """A GRU's weights in the order r, z, n: TensorFlow calls z the gate u."""
    kernel = np.concatenate([gates, candidate], axis=1)
    return split_kernel(kernel, np.concatenate([gates_bias, candidate_bias]), candidate.shape[1])


def split_kernel(kernel: Array, bias: Array, states: int) -> dict[str, Array]:
    """A kernel on [x; h] as two matrices."""
    inputs = kernel.shape[0] - states
    return {"weight_ih": kernel[:inputs].T, "weight_hh": kernel[inputs:].T, "bias_ih": bias}
