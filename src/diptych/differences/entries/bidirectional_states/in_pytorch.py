"""The states of a bidirectional PyTorch LSTM with the same weights, as they come."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, weights = draw.normal(size=(2, 5, 3)), [draw.normal(size=shape) for shape in [(16, 3), (16, 4)] * 2]

layer = torch.nn.LSTM(3, 4, bias=False, bidirectional=True, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    for parameter, values in zip(layer.parameters(), weights, strict=True):
        parameter.copy_(torch.from_numpy(values))
    _, (hidden, cell) = layer(torch.from_numpy(inputs))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": [*hidden.tolist(), *cell.tolist()]}))
