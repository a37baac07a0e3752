"""The spread of a PyTorch model's initial weights: its own (result), and the same NumPy values in both (bridged)."""

import json

import numpy as np
import torch

torch.manual_seed(1)
embedding, gru, dense = torch.nn.Embedding(2000, 128), torch.nn.GRU(128, 128), torch.nn.Linear(128, 500)


def spread():
    values = {
        "embedding": embedding.weight,
        "gru input": gru.weight_ih_l0,
        "gru recurrent": gru.weight_hh_l0,
        "gru biases": torch.stack([gru.bias_ih_l0, gru.bias_hh_l0]),
        "dense": dense.weight,
        "dense bias": dense.bias,
    }
    return {name: value.detach().numpy().std().item() for name, value in values.items()}


result = spread()
with torch.no_grad():
    for parameter in [*embedding.parameters(), *gru.parameters(), *dense.parameters()]:
        parameter.copy_(torch.from_numpy(np.resize([-0.1, 0.1], parameter.shape)))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": result, "bridged": spread()}))
