"""Luong's general attention (docs/equations.md, 8 and 10) as PyTorch's own function, in float64."""

import torch
from torch.nn.functional import scaled_dot_product_attention


def look(queries, memory, lengths, weight):
    """Decoder states (B, Q, H) look into the memory (B, S, M) of the given lengths (B,): the context (B, Q, M).

    `weight` (H, M) is decoder.attention.memory.weight; with the identity this is dot attention (7).
    """
    states, seen = torch.from_numpy(queries), torch.from_numpy(memory)
    keys = seen @ torch.from_numpy(weight).T  # (B, S, H)
    mask = torch.arange(seen.shape[1]) < torch.from_numpy(lengths)[:, None]  # (B, S), True where it may look
    # It divides scores by the square root of H, unless told not to.
    context = scaled_dot_product_attention(states, keys, seen, attn_mask=mask[:, None, :], scale=1.0)
    return context.numpy()
