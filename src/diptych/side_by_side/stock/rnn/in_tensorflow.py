"""A layer of the encoder (docs/equations.md, 3 and 4) as Keras's own SimpleRNN, in float64."""

import keras
import numpy as np


def read(inputs, lengths, weights):
    """(B, T, I) inputs of the given lengths (B,): outputs (B, T, H), zeros at padding, and the last state (B, H).

    `weights` are those of the specification: weight_ih, weight_hh, bias_ih.
    """
    size = len(weights["bias_ih"])
    layer = keras.layers.SimpleRNN(size, return_sequences=True, return_state=True, dtype="float64")
    layer.build(inputs.shape)
    # One bias, as here.
    layer.set_weights([weights["weight_ih"].T, weights["weight_hh"].T, weights["bias_ih"]])
    mask = np.arange(inputs.shape[1]) < lengths[:, None]
    outputs, state = layer(inputs, mask=mask)
    return np.where(mask[:, :, None], outputs, 0.0), [np.asarray(state)]
