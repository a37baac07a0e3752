"""PyTorch's cross-entropy with a weight of 0 for padding."""

import json

import numpy as np
import torch

logits = torch.from_numpy(np.random.default_rng(1).normal(size=(8, 5)))
targets = torch.tensor([1, 2, 3, 4, 0, 0, 0, 0])
weights = torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64)
loss = torch.nn.CrossEntropyLoss(weight=weights)(logits, targets)

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": loss.item()}))
