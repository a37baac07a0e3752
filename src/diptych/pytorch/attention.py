"""Attention: where the decoder looks (docs/equations.md, 6 to 10)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diptych.config import ModelConfig
from diptych.pytorch.linear import STANDARD, Arithmetic, linear
from diptych.pytorch.loop_products import LoopProduct, spread


class Dense(nn.Module):
    """A matrix product with an optional bias, in the precision of its input."""

    def __init__(self, input_size: int, size: int, bias: bool = False, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the weights: `input_size` numbers go in, `size` come out."""
        super().__init__()
        self.arithmetic = arithmetic
        self.weight = arithmetic.matrix(size, input_size)
        self.bias = arithmetic.vector(size) if bias else None

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., I) gives (..., O)."""
        bias = None if self.bias is None else self.bias.to(inputs.dtype)
        return linear(inputs, self.weight.to(inputs.dtype), bias, kernels=self.arithmetic.kernels(self.weight))

    def at_each_step(self, inputs: Tensor) -> LoopProduct:
        """The product without the bias, in a loop over inputs (T, B, I)."""
        weight = self.weight.to(inputs.dtype)
        return LoopProduct(weight, spread(weight.new_zeros(len(weight)), inputs), self.arithmetic.kernels(self.weight))


class Attention(nn.Module):
    """Additive (Bahdanau et al., 2015), dot, general and concat scores (Luong et al., 2015) over a padded memory."""

    def __init__(self, config: ModelConfig, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the weights that the config's kind of score needs."""
        super().__init__()
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

    def forward(self, queries: Tensor, keys: Tensor, memory: Tensor, memory_mask: Tensor) -> tuple[Tensor, Tensor]:
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
            hidden = torch.tanh(queries[:, :, None, :] + keys[:, None, :, :])  # (B, Q, S, A)
            scores = self.score(hidden)[..., 0]  # (B, Q, S)
        else:
            scores = queries @ keys.transpose(1, 2)  # (B, Q, S)
        scores = torch.where(memory_mask[:, None, :], scores, -torch.inf)
        weights = torch.softmax(scores, dim=-1)
        return weights @ memory, weights
