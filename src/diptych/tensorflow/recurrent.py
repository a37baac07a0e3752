"""The recurrent layer: one cell over all time steps at once, or one step at a time (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import keras
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import Cell
from diptych.tensorflow.cells import State, advance
from diptych.tensorflow.loops import scan
from diptych.tensorflow.step_products import StepProduct, spread

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
        from_hidden = self.from_hidden(time_major)
        over: tuple[Tensor, ...] = (self.from_input(time_major), from_hidden.base)
        if lengths is not None:
            real = tf.transpose(sequence_mask(lengths, tf.shape(inputs)[1]))[:, :, None]  # (T, B, 1)
            over = (*over, real)

        def read(state: State, now: tuple[Tensor, ...]) -> tuple[State, Tensor]:
            after = advance(self.cell, now[0], from_hidden(state[0], now[1]), state)
            if lengths is not None:  # padding leaves the state as it is
                after = tuple(tf.where(now[2], new, old) for new, old in zip(after, state, strict=True))
            return after, after[0]

        state, outputs = scan(read, first, over, reverse)  # outputs (T, B, H)
        from_hidden.keep(states_before(first[0], outputs, reverse))
        if lengths is not None:
            outputs = tf.where(real, outputs, tf.zeros([], outputs.dtype))
        return tf.transpose(outputs, [1, 0, 2]), state

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step: inputs (B, I) and a state give the output (B, H) and the next state."""
        from_hidden = self.from_hidden(inputs[None])
        state = advance(self.cell, self.from_input(inputs), from_hidden(state[0], from_hidden.base[0]), state)
        return state[0], state

    def from_input(self, inputs: Tensor) -> Tensor:
        """What inputs (..., I) of any number of steps give each gate (..., gates x H), their bias added.

        Where only the first numbers of the input are known before a loop, `from_rest` adds what the others give.
        """
        weight, bias = self._weight("kernel", inputs.dtype), self._weight("bias", inputs.dtype)
        return tf.tensordot(inputs, weight[: inputs.shape[-1]], 1) + (bias[0] if self.cell == "gru" else bias)

    def from_rest(self, known: Tensor) -> StepProduct:
        """The product with the rest of an input in a loop, added to what its known first numbers (T, B, K) give."""
        return StepProduct(self._weight("kernel", known.dtype)[known.shape[-1] :], self.from_input(known))

    def from_hidden(self, inputs: Tensor) -> StepProduct:
        """The product with the hidden state in a loop over inputs (T, B, I), a GRU's second bias added."""
        weight, bias = self._weight("recurrent_kernel", inputs.dtype), self._weight("bias", inputs.dtype)
        return StepProduct(weight, spread(bias[1] if self.cell == "gru" else tf.zeros_like(bias), inputs))

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = tf.zeros([tf.shape(inputs)[0], self.size], inputs.dtype)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def _weight(self, name: str, dtype: tf.DType) -> Tensor:
        return tf.cast(getattr(self.weights_in_keras, name), dtype)


def states_before(first: Tensor, after: Tensor, reverse: bool = False) -> Tensor:
    """(T, B, H) the state before each step, from the one before the first (B, H) and those after each (T, B, H)."""
    return tf.concat([after[1:], first[None]] if reverse else [first[None], after[:-1]], axis=0)


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return tf.sequence_mask(lengths, steps)


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return tf.where(masks[place], inputs / (1.0 - rate), tf.zeros([], inputs.dtype))
