"""Attention: where the decoder looks (docs/equations.md, 6 to 10)."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor

from diptych.config import ModelConfig
from diptych.tensorflow.layer import STANDARD, Arithmetic, Layer
from diptych.tensorflow.loop_products import LoopProduct, spread


class Dense(Layer):
    """A matrix product with an optional bias, in the precision of its input."""

    def __init__(self, input_size: int, size: int, bias: bool = False, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the weights: `input_size` numbers go in, `size` come out."""
        super().__init__(arithmetic)
        self.weight = self.add_weight(shape=(input_size, size), initializer="zeros", name="weight")
        self.bias = self.add_weight(shape=(size,), initializer="zeros", name="bias") if bias else None

    def call(self, inputs: Tensor) -> Tensor:
        """(..., I) gives (..., O)."""
        outputs = tf.tensordot(inputs, self.weight, 1)
        return outputs if self.bias is None else outputs + self.bias

    def at_each_step(self, inputs: Tensor) -> LoopProduct:
        """The product without the bias, in a loop over inputs (T, B, I)."""
        weight = tf.cast(self.weight, inputs.dtype)
        return LoopProduct(weight, spread(tf.zeros(weight.shape[1:], weight.dtype), inputs))


class Attention(Layer):
    """Additive (Bahdanau et al., 2015), dot, general and concat scores (Luong et al., 2015) over a padded memory."""

    def __init__(self, config: ModelConfig, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the weights that the config's kind of score needs."""
        super().__init__(arithmetic)
        self.kind = config.attention
        if self.kind in ("additive", "concat"):
            self.query = Dense(config.decoder_size, config.score_size, arithmetic=arithmetic)
            self.memory = Dense(config.memory_size, config.score_size, arithmetic=arithmetic)
            self.score = Dense(config.score_size, 1, arithmetic=arithmetic)
        elif self.kind == "general":
            self.memory = Dense(config.memory_size, config.decoder_size, arithmetic=arithmetic)

    def keys(self, memory: Tensor) -> Tensor:
        """What scores need of the memory, computed once per source: (B, S, M) gives (B, S, A)."""
        return memory if self.kind == "dot" else self.memory(memory)

    def queries(self, states: Tensor) -> Tensor:
        """What scores need of decoder states: (..., H) gives (..., A)."""
        return self.query(states) if self.kind in ("additive", "concat") else states

    def call(self, queries: Tensor, keys: Tensor, memory: Tensor, memory_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Look into the memory with Q queries per row.

        Args:
            queries: (B, Q, A) from `queries`.
            keys: (B, S, A) from `keys`.
            memory: (B, S, M) the encoder's outputs.
            memory_mask: (B, S) True at real source tokens, of which each row has at least one.

        Returns:
            The context (B, Q, M) and the weights (B, Q, S), which sum to 1 and are 0 at padding.
        """
        if self.kind in ("additive", "concat"):
            hidden = tf.tanh(queries[:, :, None, :] + keys[:, None, :, :])  # (B, Q, S, A)
            scores = self.score(hidden)[..., 0]  # (B, Q, S)
        else:
            scores = tf.matmul(queries, keys, transpose_b=True)  # (B, Q, S)
        scores = tf.where(memory_mask[:, None, :], scores, scores.dtype.as_numpy_dtype(-float("inf")))
        weights = tf.nn.softmax(scores, axis=-1)
        return tf.matmul(weights, memory), weights
