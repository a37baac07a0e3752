"""The recurrent layer: one cell over all time steps (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diptych.config import Cell
from diptych.parameters.specification import GATES
from diptych.pytorch.cells import State, advance
from diptych.pytorch.linear import STANDARD, Arithmetic, linear
from diptych.pytorch.loop_products import LoopProduct, StepProduct, multiply_in_loop, spread


class RecurrentLayer(nn.Module):
    """One layer of GRU (reset-after form), LSTM or plain tanh RNN cells."""

    def __init__(self, cell: Cell, input_size: int, size: int, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the layer's weights: `input_size` numbers go in at each step, `size` come out."""
        super().__init__()
        self.arithmetic = arithmetic
        self.cell = cell
        self.size = size
        rows = len(GATES[cell]) * size
        self.weight_ih = arithmetic.matrix(rows, input_size)
        self.weight_hh = arithmetic.matrix(rows, size)
        self.bias_ih = arithmetic.vector(rows)
        self.bias_hh = arithmetic.vector(rows) if cell == "gru" else None

    def forward(
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
        time_major = inputs.transpose(0, 1)
        real = None if lengths is None else sequence_mask(lengths, inputs.shape[1]).t()[:, :, None]  # (T, B, 1)

        def read(hidden: StepProduct, state: State, now: tuple[Tensor, Tensor | None]) -> tuple[State, Tensor]:
            from_input, real_now = now
            after = advance(self.cell, from_input, from_hidden=hidden(state[0]), state=state)
            if real_now is not None:  # padding leaves the state as it is
                after = tuple(torch.where(real_now, new, old) for new, old in zip(after, state, strict=True))
            return after, after[0]

        over = self.from_input(time_major), real
        state, outputs = multiply_in_loop(
            read, self.hidden(time_major), state=first, inputs=over, reverse=reverse
        )  # outputs (T, B, H)
        if real is not None:
            outputs = torch.where(real, outputs, 0.0)
        return outputs.transpose(0, 1), state

    def from_input(self, inputs: Tensor) -> Tensor:
        """What inputs (..., I) of any number of steps give each gate (..., gates x H), their bias added.

        Where only the first numbers of the input are known before a loop, `rest` adds what the others give.
        """
        weight = self.weight_ih.t()[: inputs.shape[-1]].t()  # its gradient is then laid out as it is
        bias = self.bias_ih.to(inputs.dtype)
        return linear(inputs, weight.to(inputs.dtype), bias, kernels=self.arithmetic.kernels(self.weight_ih))

    def rest(self, known: Tensor) -> LoopProduct:
        """The product with the rest of an input in a loop, added to what its known first numbers (T, B, K) give."""
        weight = self.weight_ih.t()[known.shape[-1] :].t().to(known.dtype)
        return LoopProduct(weight, self.from_input(known), self.arithmetic.kernels(self.weight_ih))

    def hidden(self, inputs: Tensor) -> LoopProduct:
        """The product with the hidden state in a loop over inputs (T, B, I), a GRU's second bias added."""
        weight = self.weight_hh.to(inputs.dtype)
        bias = weight.new_zeros(len(weight)) if self.bias_hh is None else self.bias_hh
        return LoopProduct(weight, spread(bias, inputs), self.arithmetic.kernels(self.weight_hh))

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = inputs.new_zeros(inputs.shape[0], self.size)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return torch.arange(steps, device=lengths.device)[None, :] < lengths[:, None]


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return inputs * masks[place] / (1.0 - rate)  # on a processor `torch.where` takes five times as long
