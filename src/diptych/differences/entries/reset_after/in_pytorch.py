"""The same weights in a PyTorch GRU, which knows only the after form."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs = torch.from_numpy(draw.normal(size=(2, 5, 3)))
weight_ih, weight_hh, bias = draw.normal(size=(12, 3)), draw.normal(size=(12, 4)), draw.normal(size=12)

layer = torch.nn.GRU(3, 4, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    for parameter, values in zip(layer.parameters(), [weight_ih, weight_hh, bias, 0 * bias], strict=True):
        parameter.copy_(torch.from_numpy(values))
    outputs, _ = layer(inputs)

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs.tolist()}))
