"""The recurrent layer: one cell over all time steps at once, or one step at a time (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diptych.config import Cell
from diptych.parameters.specification import GATES
from diptych.pytorch.cells import State, advance
from diptych.pytorch.linear import linear
from diptych.pytorch.loops import scan
from diptych.pytorch.step_products import StepProduct, spread


class RecurrentLayer(nn.Module):
    """One layer of GRU (reset-after form), LSTM or plain tanh RNN cells."""

    def __init__(self, cell: Cell, input_size: int, size: int) -> None:
        """Make the layer's weights: `input_size` numbers go in at each step, `size` come out."""
        super().__init__()
        self.cell = cell
        self.size = size
        rows = len(GATES[cell]) * size
        self.weight_ih = nn.Parameter(torch.zeros(rows, input_size))
        self.weight_hh = nn.Parameter(torch.zeros(rows, size))
        self.bias_ih = nn.Parameter(torch.zeros(rows))
        self.bias_hh = nn.Parameter(torch.zeros(rows)) if cell == "gru" else None

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
        from_hidden = self.from_hidden(time_major)
        over: tuple[Tensor, ...] = (self.from_input(time_major), from_hidden.base)
        if lengths is not None:
            real = sequence_mask(lengths, inputs.shape[1]).t()[:, :, None]  # (T, B, 1)
            over = (*over, real)

        def read(state: State, now: tuple[Tensor, ...]) -> tuple[State, Tensor]:
            after = advance(self.cell, now[0], from_hidden(state[0], now[1]), state)
            if lengths is not None:  # padding leaves the state as it is
                after = tuple(torch.where(now[2], new, old) for new, old in zip(after, state, strict=True))
            return after, after[0]

        state, outputs = scan(read, first, over, reverse)  # outputs (T, B, H)
        from_hidden.keep(states_before(first[0], outputs, reverse))
        if lengths is not None:
            outputs = torch.where(real, outputs, 0.0)
        return outputs.transpose(0, 1), state

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step: inputs (B, I) and a state give the output (B, H) and the next state."""
        from_hidden = self.from_hidden(inputs[None])
        state = advance(self.cell, self.from_input(inputs), from_hidden(state[0], from_hidden.base[0]), state)
        return state[0], state

    def from_input(self, inputs: Tensor) -> Tensor:
        """What inputs (..., I) of any number of steps give each gate (..., gates x H), their bias added.

        Where only the first numbers of the input are known before a loop, `from_rest` adds what the others give.
        """
        weight = self.weight_ih.t()[: inputs.shape[-1]].t()  # its gradient is then laid out as `linear.arrange` did
        return linear(inputs, weight.to(inputs.dtype), self.bias_ih.to(inputs.dtype))

    def from_rest(self, known: Tensor) -> StepProduct:
        """The product with the rest of an input in a loop, added to what its known first numbers (T, B, K) give."""
        return StepProduct(self.weight_ih.t()[known.shape[-1] :].t().to(known.dtype), self.from_input(known))

    def from_hidden(self, inputs: Tensor) -> StepProduct:
        """The product with the hidden state in a loop over inputs (T, B, I), a GRU's second bias added."""
        weight = self.weight_hh.to(inputs.dtype)
        bias = weight.new_zeros(len(weight)) if self.bias_hh is None else self.bias_hh
        return StepProduct(weight, spread(bias, inputs))

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = inputs.new_zeros(inputs.shape[0], self.size)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)


def states_before(first: Tensor, after: Tensor, reverse: bool = False) -> Tensor:
    """(T, B, H) the state before each step, from the one before the first (B, H) and those after each (T, B, H)."""
    return torch.cat([after[1:], first[None]]) if reverse else torch.cat([first[None], after[:-1]])


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return torch.arange(steps, device=lengths.device)[None, :] < lengths[:, None]


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return inputs * masks[place] / (1.0 - rate)  # on a processor `torch.where` takes five times as long
