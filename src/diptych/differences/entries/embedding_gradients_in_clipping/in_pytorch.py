"""The norm of an embedding's gradient clipped to 1: by PyTorch (result), and without its 1e-6 (bridged)."""

import json

import torch

tokens = torch.tensor([3] * 9 + [4])
layer = torch.nn.Embedding(5, 1, dtype=torch.float64)
layer(tokens).sum().backward()
exact = layer.weight.grad * min(1.0, 1.0 / layer.weight.grad.norm())
torch.nn.utils.clip_grad_norm_(layer.parameters(), 1.0)

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": layer.weight.grad.norm().item(), "bridged": exact.norm().item()}))
