"""A layer of the encoder (docs/equations.md, 2 and 4) as Keras's own LSTM, in float64."""

import keras
import numpy as np


def read(inputs, lengths, weights):
    """(B, T, I) inputs of the given lengths (B,): outputs (B, T, H), zeros at padding, last hidden and cell (B, H).

    `weights` are those of the specification: weight_ih, weight_hh, bias_ih, gates in the order i, f, g, o.
    """
    size = len(weights["bias_ih"]) // 4
    layer = keras.layers.LSTM(size, return_sequences=True, return_state=True, dtype="float64")
    layer.build(inputs.shape)
    # The same order of gates, and one bias.
    layer.set_weights([weights["weight_ih"].T, weights["weight_hh"].T, weights["bias_ih"]])
    mask = np.arange(inputs.shape[1]) < lengths[:, None]
    outputs, hidden, cell = layer(inputs, mask=mask)
    return np.where(mask[:, :, None], outputs, 0.0), [np.asarray(hidden), np.asarray(cell)]
