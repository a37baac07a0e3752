"""A layer of the encoder (docs/equations.md, 2 and 4) as PyTorch's own LSTM, in float64."""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def read(inputs, lengths, weights):
    """(B, T, I) inputs of the given lengths (B,): outputs (B, T, H), zeros at padding, last hidden and cell (B, H).

    `weights` are those of the specification: weight_ih, weight_hh, bias_ih, gates in the order i, f, g, o.
    """
    size = len(weights["bias_ih"]) // 4
    layer = torch.nn.LSTM(inputs.shape[2], size, batch_first=True, dtype=torch.float64)
    values = {name: torch.from_numpy(value) for name, value in weights.items()}
    values["bias_hh"] = torch.zeros_like(values["bias_ih"])  # a second bias, which adds nothing to the first
    layer.load_state_dict({f"{name}_l0": value for name, value in values.items()})
    # Packed, or the state after the last step would have read the padding.
    packed = pack_padded_sequence(torch.from_numpy(inputs), lengths, batch_first=True, enforce_sorted=False)
    outputs, (hidden, cell) = layer(packed)
    outputs, _ = pad_packed_sequence(outputs, batch_first=True)
    return outputs.detach().numpy(), [hidden[0].detach().numpy(), cell[0].detach().numpy()]
