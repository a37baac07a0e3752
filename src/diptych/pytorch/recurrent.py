"""The recurrent layer: one cell over all time steps at once, or one step at a time (docs/equations.md, 1 to 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from diptych.config import Cell
from diptych.parameters.specification import GATES

# (hidden,) for gru and rnn, (hidden, cell) for lstm; each (B, H).
State = tuple[Tensor, ...]

SEQUENCE = {"gru": torch.gru, "lstm": torch.lstm, "rnn": torch.rnn_tanh}
STEP = {"gru": torch.gru_cell, "lstm": torch.lstm_cell, "rnn": torch.rnn_tanh_cell}


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
        if cell == "gru":
            self.bias_hh = nn.Parameter(torch.zeros(rows))
        else:  # one bias only: PyTorch's second one stays zero and is not trained
            self.register_buffer("bias_hh", torch.zeros(rows), persistent=False)

    def forward(
        self, inputs: Tensor, state: State | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
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
            outputs, *final = self._run(inputs, state)
            return outputs, tuple(part[0] for part in final)
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        state = tuple(part[packed.sorted_indices] for part in state)
        data, *final = self._run(packed.data, state, packed.batch_sizes)
        packed = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=inputs.shape[1])
        return outputs, tuple(part[0][packed.unsorted_indices] for part in final)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step: inputs (B, I) and a state give the output (B, H) and the next state."""
        hidden = state if self.cell == "lstm" else state[0]
        result = STEP[self.cell](inputs, hidden, *self._weights(inputs))
        state = result if self.cell == "lstm" else (result,)
        return state[0], state

    def zero_state(self, inputs: Tensor) -> State:
        """The state of zeros for as many rows as `inputs` has."""
        zeros = inputs.new_zeros(inputs.shape[0], self.size)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def _weights(self, inputs: Tensor) -> list[Tensor]:
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return [weight.to(inputs.dtype) for weight in weights]

    def _run(self, inputs: Tensor, state: State, batch_sizes: Tensor | None = None) -> tuple[Tensor, ...]:
        """Call the fused kernel on padded (B, T, I) or, where `batch_sizes` is given, on packed inputs."""
        hidden = tuple(part[None] for part in state)
        hidden = hidden if self.cell == "lstm" else hidden[0]
        options = (True, 1, 0.0, self.training, False)  # biases, layers, dropout, training, bidirectional
        if batch_sizes is None:
            return SEQUENCE[self.cell](inputs, hidden, self._weights(inputs), *options, True)  # batch first
        return SEQUENCE[self.cell](inputs, batch_sizes, hidden, self._weights(inputs), *options)


def reverse_sequence(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the first `lengths[b]` steps of each row of (B, T, I); what lies beyond stays in place."""
    steps = torch.arange(inputs.shape[1], device=inputs.device)[None, :]
    lengths = lengths[:, None]
    order = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return torch.take_along_dim(inputs, order[:, :, None].long(), dim=1)


def sequence_mask(lengths: Tensor, steps: int) -> Tensor:
    """(B, T) booleans: True at the first `lengths[b]` of T steps."""
    return torch.arange(steps, device=lengths.device)[None, :] < lengths[:, None]


def apply_dropout(inputs: Tensor, masks: dict[str, Tensor], place: str, rate: float) -> Tensor:
    """Keep `inputs` where the mask of this place is True, scaled by 1 / (1 - rate); no mask there: unchanged."""
    if place not in masks:
        return inputs
    return torch.where(masks[place], inputs / (1.0 - rate), 0.0)
