"""How many features a PyTorch RNN's dropout treats alike at all ten steps; the RNN passes its inputs through."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, keep = torch.ones(20, 10, 50), torch.from_numpy(draw.random((20, 10, 50)) >= 0.5)
torch.manual_seed(1)


def alike(layers, dropout, inputs):
    rnn = torch.nn.RNN(50, 50, layers, nonlinearity="relu", bias=False, dropout=dropout, batch_first=True)
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            parameter.copy_(torch.eye(50) if "weight_ih" in name else torch.zeros(50, 50))
        kept = rnn(inputs)[0] != 0
    return (kept.all(dim=1) | ~kept.any(dim=1)).double().mean().item()


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": alike(2, 0.5, inputs), "bridged": alike(1, 0.0, inputs * keep * 2)}))
