"""A layer of the encoder (docs/equations.md, 1 and 4) as PyTorch's own GRU, in float64."""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def read(inputs, lengths, weights):
    """(B, T, I) inputs of the given lengths (B,): outputs (B, T, H), zeros at padding, and the last state (B, H).

    `weights` are those of the specification: weight_ih, weight_hh, bias_ih, bias_hh, gates in the order r, z, n.
    """
    size = len(weights["bias_ih"]) // 3
    layer = torch.nn.GRU(inputs.shape[2], size, batch_first=True, dtype=torch.float64)
    layer.load_state_dict({f"{name}_l0": torch.from_numpy(value) for name, value in weights.items()})
    # Packed, or the state after the last step would have read the padding.
    packed = pack_padded_sequence(torch.from_numpy(inputs), lengths, batch_first=True, enforce_sorted=False)
    outputs, state = layer(packed)
    outputs, _ = pad_packed_sequence(outputs, batch_first=True)
    return outputs.detach().numpy(), [state[0].detach().numpy()]
