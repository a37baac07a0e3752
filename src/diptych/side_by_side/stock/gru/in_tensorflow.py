"""A layer of the encoder (docs/equations.md, 1 and 4) as Keras's own GRU, in float64."""

import keras
import numpy as np


def read(inputs, lengths, weights):
    """(B, T, I) inputs of the given lengths (B,): outputs (B, T, H), zeros at padding, and the last state (B, H).

    `weights` are those of the specification: weight_ih, weight_hh, bias_ih, bias_hh, gates in the order r, z, n.
    """
    size = len(weights["bias_ih"]) // 3
    layer = keras.layers.GRU(size, reset_after=True, return_sequences=True, return_state=True, dtype="float64")
    layer.build(inputs.shape)
    reset, update, new = np.split(np.arange(3 * size), 3)
    gates = np.concatenate([update, reset, new])  # Keras's order
    kernel, recurrent = weights["weight_ih"][gates].T, weights["weight_hh"][gates].T
    layer.set_weights([kernel, recurrent, np.stack([weights["bias_ih"][gates], weights["bias_hh"][gates]])])
    mask = np.arange(inputs.shape[1]) < lengths[:, None]
    outputs, state = layer(inputs, mask=mask)
    return np.where(mask[:, :, None], outputs, 0.0), [np.asarray(state)]
