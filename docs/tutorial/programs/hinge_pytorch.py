"""Diptych's weights into the stock layers of examples/stock_pytorch.py."""

import torch

GRU = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def gru_weights(weights, name):
    """As they are: PyTorch's rows are r, z, n, too."""
    return [torch.from_numpy(weights[f"{name}.{part}"]) for part in GRU]


def give_encoder(encoder, weights):
    """Set the weights of a stock encoder."""
    values = gru_weights(weights, "encoder.forward_layers.0")
    found = {f"gru.{part}_l0": each for part, each in zip(GRU, values)}
    found["embedding.weight"] = torch.from_numpy(weights["source_embedding.weight"])
    encoder.load_state_dict(found)


def give_decoder(decoder, weights):
    """Set the weights of a stock decoder."""
    values = gru_weights(weights, "decoder.layers.0")
    found = {f"cell.{part}": each for part, each in zip(GRU, values)}
    found["embedding.weight"] = torch.from_numpy(weights["target_embedding.weight"])
    for name, array in weights.items():
        if name.startswith(("decoder.attention.", "output_layer.")):
            found[name.removeprefix("decoder.")] = torch.from_numpy(array)
    decoder.load_state_dict(found)
