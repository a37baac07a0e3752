"""The loss of the same padded batch as PyTorch takes it, without the padding."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
logits, targets = draw.normal(size=(4, 8, 5)), draw.integers(1, 5, (4, 8))
targets[np.arange(8) >= np.array([[8], [5], [3], [2]])] = 0

logits, targets = torch.from_numpy(logits), torch.from_numpy(targets)
loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": loss.item()}))
