"""A gradient clipped by PyTorch: by its function (result), and by the formula without 1e-6 (bridged)."""

import json

import numpy as np
import torch

gradient = np.random.default_rng(1).normal(size=8)
gradient *= 0.02 / np.linalg.norm(gradient)

weights = torch.nn.Parameter(torch.zeros(8, dtype=torch.float64))
weights.grad = torch.from_numpy(gradient.copy())
torch.nn.utils.clip_grad_norm_([weights], 0.01)

exact = torch.from_numpy(gradient)
versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": weights.grad.tolist(),
            "bridged": (exact * min(1.0, 0.01 / exact.norm().item())).tolist(),
        }
    )
)
