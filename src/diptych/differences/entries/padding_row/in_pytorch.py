"""The gradient of a PyTorch embedding's row 0: with padding_idx (result), and without it but masked (bridged)."""

import json

import torch

tokens = torch.tensor([[3, 1, 0]])


def gradient(padding_idx, mask):
    layer = torch.nn.Embedding(5, 2, padding_idx, dtype=torch.float64)
    (layer(tokens) * mask[:, :, None]).sum().backward()
    return layer.weight.grad[0].tolist()


versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": gradient(0, torch.ones(1, 3)),
            "bridged": gradient(None, (tokens != 0).double()),
        }
    )
)
