"""The recurrent layer: one cell over all time steps (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from diptych.config import Cell
from diptych.parameters.specification import GATES

# (hidden,) for gru and rnn, (hidden, cell) for lstm; each (B, H).
State = tuple[ndarray, ...]


class RecurrentLayer:
    """One layer of GRU (reset-after form), LSTM or plain tanh RNN cells."""

    def __init__(self, cell: Cell, input_size: int, size: int) -> None:
        """Make the layer's weights: `input_size` numbers go in at each step, `size` come out."""
        self.cell = cell
        self.size = size
        rows = len(GATES[cell]) * size
        self.weight_ih = np.zeros((rows, input_size))
        self.weight_hh = np.zeros((rows, size))
        self.bias_ih = np.zeros(rows)
        self.bias_hh = np.zeros(rows)  # stays zero but for the gru

    def __call__(
        self, inputs: ndarray, state: State | None = None, lengths: ndarray | None = None, reverse: bool = False
    ) -> tuple[ndarray, State]:
        """Run over whole sequences.

        Args:
            inputs: (B, T, I).
            state: the state before the first step; None: zeros.
            lengths: (B,) real steps of each row, at least 1; None: all T.
            reverse: from the last step to the first.

        Returns:
            The outputs (B, T, H), zeros beyond a row's length, and the state after each row's last real step.
        """
        if state is None:
            state = self.zero_state(inputs)
        steps = inputs.shape[1]
        lengths = np.full(inputs.shape[0], steps) if lengths is None else lengths
        real = sequence_mask(lengths, steps)
        outputs = np.zeros((*inputs.shape[:2], self.size))
        for t in reversed(range(steps)) if reverse else range(steps):
            output, new_state = self.step(inputs[:, t], state)
            now = real[:, t, None]  # (B, 1)
            outputs[:, t] = np.where(now, output, 0.0)
            state = tuple(np.where(now, new, old) for new, old in zip(new_state, state, strict=True))
        return outputs, state

    def step(self, inputs: ndarray, state: State) -> tuple[ndarray, State]:
        """Run one step: inputs (B, I) and a state give the output (B, H) and the next state."""
        hidden = state[0]
        from_input = inputs @ self.weight_ih.T + self.bias_ih
        from_hidden = hidden @ self.weight_hh.T + self.bias_hh
        if self.cell == "rnn":
            hidden = np.tanh(from_input + from_hidden)
            return hidden, (hidden,)
        if self.cell == "gru":
            reset_input, update_input, new_input = np.split(from_input, 3, axis=-1)
            reset_hidden, update_hidden, new_hidden = np.split(from_hidden, 3, axis=-1)
            reset_gate = sigmoid(reset_input + reset_hidden)
            update_gate = sigmoid(update_input + update_hidden)
            new = np.tanh(new_input + reset_gate * new_hidden)
            hidden = (1.0 - update_gate) * new + update_gate * hidden
            return hidden, (hidden,)
        input_gate, forget_gate, candidate, output_gate = np.split(from_input + from_hidden, 4, axis=-1)
        cell = sigmoid(forget_gate) * state[1] + sigmoid(input_gate) * np.tanh(candidate)
        hidden = sigmoid(output_gate) * np.tanh(cell)
        return hidden, (hidden, cell)

    def zero_state(self, inputs: ndarray) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = np.zeros((inputs.shape[0], self.size))
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)


def sequence_mask(lengths: ndarray, steps: int) -> ndarray:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return np.arange(steps)[None, :] < lengths[:, None]


def apply_dropout(inputs: ndarray, masks: dict[str, ndarray], place: str, rate: float) -> ndarray:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return np.where(masks[place], inputs / (1.0 - rate), 0.0)


def sigmoid(inputs: ndarray) -> ndarray:
    """1 / (1 + exp(-x)), without overflow for large negative x."""
    return 0.5 * (1.0 + np.tanh(0.5 * inputs))
