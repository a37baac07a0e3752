"""The recurrent layer: one cell over all time steps at once, or one step at a time (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import keras
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import Cell

# (hidden,) for gru and rnn, (hidden, cell) for lstm; each (B, H).
State = tuple[Tensor, ...]

SEQUENCE = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}


class RecurrentLayer(keras.layers.Layer):
    """One layer of GRU (reset-after form), LSTM or plain tanh RNN cells."""

    def __init__(self, cell: Cell, input_size: int, size: int) -> None:
        """Make the layer's weights: `input_size` numbers go in at each step, `size` come out."""
        super().__init__()
        self.built = True  # the weights are made here
        self.cell = cell
        self.size = size
        form = {"reset_after": True} if cell == "gru" else {}
        self.sequence = SEQUENCE[cell](size, return_sequences=True, return_state=True, **form)
        self.sequence.build((None, None, input_size))

    def call(self, inputs: Tensor, state: State | None = None, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Run over whole sequences.

        Args:
            inputs: (B, T, I).
            state: the state before the first step; None: zeros.
            lengths: (B,) real steps of each row, at least 1; None: all T.

        Returns:
            The outputs (B, T, H), zeros beyond a row's length, and the state after each row's last real step.
        """
        if state is None:
            state = self.zero_state(inputs)
        if lengths is None:
            outputs, *final = self.sequence(inputs, initial_state=list(state))
            return outputs, tuple(final)
        mask = sequence_mask(lengths, tf.shape(inputs)[1])
        outputs, *final = self.sequence(inputs, initial_state=list(state), mask=mask)
        # Keras repeats the last real output at padded steps.
        return tf.where(mask[:, :, None], outputs, tf.zeros([], outputs.dtype)), tuple(final)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step: inputs (B, I) and a state give the output (B, H) and the next state."""
        output, state = self.sequence.cell(inputs, list(state))
        return output, tuple(state)

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = tf.zeros([tf.shape(inputs)[0], self.size], inputs.dtype)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)


def reverse_sequence(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the first `lengths[b]` steps of each row of (B, T, I); what lies beyond stays in place."""
    return tf.reverse_sequence(inputs, lengths, seq_axis=1)


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return tf.sequence_mask(lengths, steps)


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return tf.where(masks[place], inputs / (1.0 - rate), tf.zeros([], inputs.dtype))
