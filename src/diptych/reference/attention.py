"""Attention: where the decoder looks (docs/equations.md, 6 to 10)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from diptych.config import ModelConfig


class Dense:
    """A matrix product with an optional bias, in the precision of its input."""

    def __init__(self, input_size: int, size: int, bias: bool = False) -> None:
        """Make the weights: `input_size` numbers go in, `size` come out."""
        self.weight = np.zeros((size, input_size))
        self.bias = np.zeros(size) if bias else None

    def __call__(self, inputs: ndarray) -> ndarray:
        """(..., I) gives (..., O)."""
        outputs = inputs @ self.weight.T
        return outputs if self.bias is None else outputs + self.bias


class Attention:
    """Additive (Bahdanau et al., 2015), dot, general and concat scores (Luong et al., 2015) over a padded memory."""

    def __init__(self, config: ModelConfig) -> None:
        """Make the weights that the config's kind of score needs."""
        self.kind = config.attention
        if self.kind in ("additive", "concat"):
            self.query = Dense(config.decoder_size, config.score_size)
            self.memory = Dense(config.memory_size, config.score_size)
            self.score = Dense(config.score_size, 1)
        elif self.kind == "general":
            self.memory = Dense(config.memory_size, config.decoder_size)

    def keys(self, memory: ndarray) -> ndarray:
        """What scores need of the memory, computed once per source: (B, S, M) gives (B, S, A)."""
        return memory if self.kind == "dot" else self.memory(memory)

    def queries(self, states: ndarray) -> ndarray:
        """What scores need of decoder states: (..., H) gives (..., A)."""
        return self.query(states) if self.kind in ("additive", "concat") else states

    def __call__(
        self, queries: ndarray, keys: ndarray, memory: ndarray, memory_mask: ndarray
    ) -> tuple[ndarray, ndarray]:
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
            hidden = np.tanh(queries[:, :, None, :] + keys[:, None, :, :])  # (B, Q, S, A)
            scores = self.score(hidden)[..., 0]  # (B, Q, S)
        else:
            scores = queries @ keys.swapaxes(1, 2)  # (B, Q, S)
        scores = np.where(memory_mask[:, None, :], scores, -np.inf)
        exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return weights @ memory, weights
