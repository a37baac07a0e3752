"""How often PyTorch draws each of four words: from the same numbers (result), from their softmax (bridged)."""

import json

import torch

logits = torch.tensor([[3.0, 2.0, 1.0, 0.5]])
generator = torch.Generator().manual_seed(1)


def frequencies(weights):
    drawn = torch.multinomial(weights, 100_000, replacement=True, generator=generator)
    return (torch.bincount(drawn[0], minlength=4) / 100_000).tolist()


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": frequencies(logits), "bridged": frequencies(logits.softmax(dim=-1))}))
