"""PyTorch's layer normalisation."""

import json

import numpy as np
import torch

inputs = 0.03 * np.random.default_rng(1).normal(size=(4, 16))
with torch.no_grad():
    outputs = torch.nn.LayerNorm(16, dtype=torch.float64)(torch.from_numpy(inputs))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs.tolist()}))
