"""One step of each cell, its products made (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from diptych.config import Cell

# (hidden,) for gru and rnn, (hidden, cell) for lstm; each (B, H).
State = tuple[Tensor, ...]


def advance(cell: Cell, from_input: Tensor, from_hidden: Tensor, state: State) -> State:
    """The state after one step.

    Args:
        cell: which.
        from_input: (B, gates x H) what the input gives each gate, its bias added.
        from_hidden: (B, gates x H) what the hidden state gives each gate, a GRU's second bias added.
        state: before the step.
    """
    if cell == "gru":
        return (_gru(from_input, from_hidden, state[0]),)
    gates = from_input + from_hidden
    return _lstm(gates, state[1]) if cell == "lstm" else (torch.tanh(gates),)


def _gru(from_input: Tensor, from_hidden: Tensor, hidden: Tensor) -> Tensor:
    """The reset, update and new gates, in the reset-after form."""
    sizes = [2 * hidden.shape[1], hidden.shape[1]]
    gates_input, new_input = from_input.split(sizes, dim=1)
    gates_hidden, new_hidden = from_hidden.split(sizes, dim=1)
    reset, update = torch.sigmoid(gates_input + gates_hidden).chunk(2, dim=1)
    new = torch.tanh(torch.addcmul(new_input, reset, new_hidden))
    return torch.lerp(new, hidden, update)  # exactly the state before where the update gate is 1


def _lstm(gates: Tensor, cell: Tensor) -> State:
    """Gates i, f, g, o (input, forget, candidate, output)."""
    input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=1)
    after = torch.addcmul(torch.sigmoid(forget_gate) * cell, torch.sigmoid(input_gate), torch.tanh(candidate))
    return torch.sigmoid(output_gate) * torch.tanh(after), after
