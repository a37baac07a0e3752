"""Luong's general attention (docs/equations.md, 8 and 10) as Keras's own layer, in float64."""

import keras
import numpy as np


def look(queries, memory, lengths, weight):
    """Decoder states (B, Q, H) look into the memory (B, S, M) of the given lengths (B,): the context (B, Q, M).

    `weight` (H, M) is decoder.attention.memory.weight; with the identity this is dot attention (7).
    """
    keys = memory @ weight.T  # (B, S, H)
    mask = np.arange(memory.shape[1]) < lengths[:, None]  # (B, S), True where it may look
    layer = keras.layers.Attention(use_scale=False, dtype="float64")
    context = layer([queries, memory, keys], mask=[None, mask])  # query, value, key: in this order
    return np.asarray(context)
