"""Fit the same line by 200 steps with weight decay: by PyTorch's Adam (result), and by its AdamW (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, targets = (torch.from_numpy(draw.normal(size=shape)) for shape in [(32, 4), 32])


def train(optimizer_class):
    weights = torch.nn.Parameter(torch.ones(4, dtype=torch.float64))
    optimizer = optimizer_class([weights], 2**-6, betas=(0.875, 1 - 2**-9), weight_decay=2**-4)
    for step in range(1, 201):
        optimizer.param_groups[0]["eps"] = 1e-8 / (1 - (1 - 2**-9) ** step) ** 0.5  # Keras's epsilon
        loss = ((inputs @ weights - targets) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights.tolist()


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": train(torch.optim.Adam), "bridged": train(torch.optim.AdamW)}))
