"""The shapes of what a PyTorch RNN returns."""

import json

import torch

outputs, states = torch.nn.GRU(3, 4, batch_first=True)(torch.ones(2, 5, 3))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": [list(outputs.shape), list(states.shape)]}))
