"""The recurrent layer: one cell over all time steps (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor

from diptych.config import Cell
from diptych.parameters.specification import GATES
from diptych.tensorflow.cells import State, advance
from diptych.tensorflow.layer import STANDARD, Arithmetic, Layer
from diptych.tensorflow.loop_products import LoopProduct, StepProduct, multiply_in_loop, spread


class RecurrentLayer(Layer):
    """One layer of GRU (reset-after form), LSTM or plain tanh RNN cells."""

    def __init__(self, cell: Cell, input_size: int, size: int, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the layer's weights: `input_size` numbers go in at each step, `size` come out."""
        super().__init__(arithmetic)
        self.cell = cell
        self.size = size
        columns = len(GATES[cell]) * size
        biases = (2, columns) if cell == "gru" else (columns,)
        # Named, shaped and ordered by gates as in Keras's own GRU, LSTM and SimpleRNN, which can take them as they are.
        self.kernel = self.add_weight(shape=(input_size, columns), initializer="zeros", name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(size, columns), initializer="zeros", name="recurrent_kernel")
        self.bias = self.add_weight(shape=biases, initializer="zeros", name="bias")

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
            after = advance(self.cell, from_input, from_hidden=hidden(state[0]), state=state)
            if real_now is not None:  # padding leaves the state as it is
                after = tuple(tf.where(real_now, new, old) for new, old in zip(after, state, strict=True))
            return after, after[0]

        over = self.from_input(time_major), real
        state, outputs = multiply_in_loop(
            read, self.hidden(time_major), state=first, inputs=over, reverse=reverse
        )  # outputs (T, B, H)
        if real is not None:
            outputs = tf.where(real, outputs, tf.zeros([], outputs.dtype))
        return tf.transpose(outputs, [1, 0, 2]), state

    def from_input(self, inputs: Tensor) -> Tensor:
        """What inputs (..., I) of any number of steps give each gate (..., gates x H), their bias added.

        Where only the first numbers of the input are known before a loop, `rest` adds what the others give.
        """
        weight, bias = tf.cast(self.kernel, inputs.dtype), tf.cast(self.bias, inputs.dtype)
        return tf.tensordot(inputs, weight[: inputs.shape[-1]], 1) + (bias[0] if self.cell == "gru" else bias)

    def rest(self, known: Tensor) -> LoopProduct:
        """The product with the rest of an input in a loop, added to what its known first numbers (T, B, K) give."""
        return LoopProduct(tf.cast(self.kernel, known.dtype)[known.shape[-1] :], self.from_input(known))

    def hidden(self, inputs: Tensor) -> LoopProduct:
        """The product with the hidden state in a loop over inputs (T, B, I), a GRU's second bias added."""
        weight, bias = tf.cast(self.recurrent_kernel, inputs.dtype), tf.cast(self.bias, inputs.dtype)
        return LoopProduct(weight, spread(bias[1] if self.cell == "gru" else tf.zeros_like(bias), inputs))

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = tf.zeros([tf.shape(inputs)[0], self.size], inputs.dtype)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return tf.sequence_mask(lengths, steps)


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return tf.where(masks[place], inputs / (1.0 - rate), tf.zeros([], inputs.dtype))
