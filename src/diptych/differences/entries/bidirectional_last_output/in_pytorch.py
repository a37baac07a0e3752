"""A bidirectional PyTorch RNN: its output at the last position (result), and its final states, joined (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, weights = draw.normal(size=(2, 5, 3)), [draw.normal(size=shape) for shape in [(4, 3), (4, 4)] * 2]

layer = torch.nn.RNN(3, 4, bias=False, bidirectional=True, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    for parameter, values in zip(layer.parameters(), weights, strict=True):
        parameter.copy_(torch.from_numpy(values))
    outputs, states = layer(torch.from_numpy(inputs))

versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": outputs[:, -1].tolist(),
            "bridged": torch.cat([states[0], states[1]], dim=1).tolist(),
        }
    )
)
