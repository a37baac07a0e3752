"""A square PyTorch layer with its own weights."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, weight, bias = draw.normal(size=(2, 4)), draw.normal(size=(4, 4)), draw.normal(size=4)

layer = torch.nn.Linear(4, 4, dtype=torch.float64)
layer.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
with torch.no_grad():
    outputs = layer(torch.from_numpy(inputs))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs.tolist()}))
