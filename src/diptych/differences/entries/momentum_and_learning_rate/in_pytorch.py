"""Fit the same line by PyTorch's SGD with momentum."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, targets = (torch.from_numpy(draw.normal(size=shape)) for shape in [(32, 4), 32])
rates = [2**-4] * 10 + [2**-7] * 10

weights = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
optimizer = torch.optim.SGD([weights], momentum=0.875)
for rate in rates:
    optimizer.param_groups[0]["lr"] = rate
    optimizer.zero_grad()
    ((inputs @ weights - targets) ** 2).mean().backward()
    optimizer.step()

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": weights.tolist()}))
