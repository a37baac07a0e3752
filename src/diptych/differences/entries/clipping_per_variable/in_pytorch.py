"""Two gradients clipped to 1 by PyTorch: by its function (result), and without its 1e-6 (bridged)."""

import json

import torch

gradients = [torch.tensor([3.0, 4.0], dtype=torch.float64), torch.tensor([0.0, 12.0], dtype=torch.float64)]
weights = [torch.nn.Parameter(torch.zeros(2, dtype=torch.float64)) for _ in gradients]
for weight, gradient in zip(weights, gradients, strict=True):
    weight.grad = gradient.clone()
norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)

versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": [weight.grad.tolist() for weight in weights],
            "bridged": [(gradient / norm).tolist() for gradient in gradients],
        }
    )
)
