"""One step of each cell, its products made (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor

from diptych.config import Cell

# (hidden,) for gru and rnn, (hidden, cell) for lstm; each (B, H).
State = tuple[Tensor, ...]


def advance(cell: Cell, from_input: Tensor, from_hidden: Tensor, state: State) -> State:
    """The state after one step.

    Args:
        cell: which.
        from_input: (B, gates x H) what the input gives each gate, its bias added.
        from_hidden: (B, gates x H) what the hidden state gives each gate, a GRU's second bias added.
        state: before the step.
    """
    if cell == "gru":
        return (_gru(from_input, from_hidden, state[0]),)
    gates = from_input + from_hidden
    return _lstm(gates, state[1]) if cell == "lstm" else (tf.tanh(gates),)


def _gru(from_input: Tensor, from_hidden: Tensor, hidden: Tensor) -> Tensor:
    """The reset, update and new gates, in the reset-after form."""
    sizes = [2 * hidden.shape[1], hidden.shape[1]]
    gates_input, new_input = tf.split(from_input, sizes, axis=1)
    gates_hidden, new_hidden = tf.split(from_hidden, sizes, axis=1)
    # Keras stacks the update gate before the reset gate.
    update, reset = tf.split(tf.sigmoid(gates_input + gates_hidden), 2, axis=1)
    new = tf.tanh(new_input + reset * new_hidden)
    return new + update * (hidden - new)


def _lstm(gates: Tensor, cell: Tensor) -> State:
    """Gates i, f, g, o (input, forget, candidate, output)."""
    input_gate, forget_gate, candidate, output_gate = tf.split(gates, 4, axis=1)
    after = tf.sigmoid(forget_gate) * cell + tf.sigmoid(input_gate) * tf.tanh(candidate)
    return tf.sigmoid(output_gate) * tf.tanh(after), after
