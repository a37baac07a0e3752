"""The recurrent layer: one cell over all time steps (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import keras
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import Cell
from diptych.tensorflow.cells import State, advance
from diptych.tensorflow.loop_products import LoopProduct, StepProduct, multiply_in_loop, spread

CELLS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell, "rnn": keras.layers.SimpleRNNCell}


class RecurrentLayer(keras.layers.Layer):
    """One layer of GRU (reset-after form), LSTM or plain tanh RNN cells."""

    def __init__(self, cell: Cell, input_size: int, size: int) -> None:
        """Make the layer's weights: `input_size` numbers go in at each step, `size` come out."""
        super().__init__()
        self.built = True  # the weights are made here
        self.cell = cell
        self.size = size
        form = {"reset_after": True} if cell == "gru" else {}
        self.weights_in_keras = CELLS[cell](size, **form)
        self.weights_in_keras.build((None, input_size))

    def call(
        self, inputs: Tensor, state: State | None = None, lengths: Tensor | None = None, reverse: bool = False
    ) -> tuple[Tensor, State]:
        """Run over whole sequences.

        Args:
            inputs: (B, T, I).
            state: the state before the first step; None: zeros.
            lengths: (B,) real steps of each row, at least 1; None: all T.
            reverse: from the last step to the first.

        Returns:
            The outputs (B, T, H), zeros beyond a row's length, and the state after each row's last real step.
        """
        first = self.zero_state(inputs) if state is None else state
        time_major = tf.transpose(inputs, [1, 0, 2])
        steps = tf.shape(inputs)[1]
        real = None if lengths is None else tf.transpose(sequence_mask(lengths, steps))[:, :, None]  # (T, B, 1)

        def read(hidden: StepProduct, state: State, now: tuple[Tensor, Tensor | None]) -> tuple[State, Tensor]:
            from_input, real_now = now
            after = advance(self.cell, from_input, hidden(state[0]), state)
            if real_now is not None:  # padding leaves the state as it is
                after = tuple(tf.where(real_now, new, old) for new, old in zip(after, state, strict=True))
            return after, after[0]

        over = self.from_input(time_major), real
        state, outputs = multiply_in_loop(read, self.hidden(time_major), first, over, reverse)  # outputs (T, B, H)
        if real is not None:
            outputs = tf.where(real, outputs, tf.zeros([], outputs.dtype))
        return tf.transpose(outputs, [1, 0, 2]), state

    def from_input(self, inputs: Tensor) -> Tensor:
        """What inputs (..., I) of any number of steps give each gate (..., gates x H), their bias added.

        Where only the first numbers of the input are known before a loop, `rest` adds what the others give.
        """
        weight, bias = self._weight("kernel", inputs.dtype), self._weight("bias", inputs.dtype)
        return tf.tensordot(inputs, weight[: inputs.shape[-1]], 1) + (bias[0] if self.cell == "gru" else bias)

    def rest(self, known: Tensor) -> LoopProduct:
        """The product with the rest of an input in a loop, added to what its known first numbers (T, B, K) give."""
        return LoopProduct(self._weight("kernel", known.dtype)[known.shape[-1] :], self.from_input(known))

    def hidden(self, inputs: Tensor) -> LoopProduct:
        """The product with the hidden state in a loop over inputs (T, B, I), a GRU's second bias added."""
        weight, bias = self._weight("recurrent_kernel", inputs.dtype), self._weight("bias", inputs.dtype)
        return LoopProduct(weight, spread(bias[1] if self.cell == "gru" else tf.zeros_like(bias), inputs))

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = tf.zeros([tf.shape(inputs)[0], self.size], inputs.dtype)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def _weight(self, name: str, dtype: tf.DType) -> Tensor:
        return tf.cast(getattr(self.weights_in_keras, name), dtype)


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return tf.sequence_mask(lengths, steps)


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return tf.where(masks[place], inputs / (1.0 - rate), tf.zeros([], inputs.dtype))
