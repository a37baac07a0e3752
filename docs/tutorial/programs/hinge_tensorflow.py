"""Diptych's weights into the stock layers of examples/stock_tensorflow.py."""

import numpy as np

GRU = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def gru_weights(weights, name):
    """Gates r, z, n become z, r, n, rows columns, and two biases one array."""
    arrays = []
    for part in GRU:
        r, z, n = np.split(weights[f"{name}.{part}"], 3)
        arrays.append(np.concatenate([z, r, n]).T)
    return [*arrays[:2], np.stack(arrays[2:])]


def give_encoder(encoder, weights):
    """Set the weights of a stock encoder that has been called once."""
    encoder.embedding.set_weights([weights["source_embedding.weight"]])
    encoder.gru.set_weights(gru_weights(weights, "encoder.forward_layers.0"))


def give_decoder(decoder, weights):
    """Set the weights of a stock decoder that has been called once."""
    decoder.embedding.set_weights([weights["target_embedding.weight"]])
    decoder.cell.set_weights(gru_weights(weights, "decoder.layers.0"))
    for part in ("query", "memory", "score"):
        if (name := f"decoder.attention.{part}.weight") in weights:
            getattr(decoder.attention, part).set_weights([weights[name].T])
    matrix, bias = weights["output_layer.weight"], weights["output_layer.bias"]
    decoder.output_layer.set_weights([matrix.T, bias])
