"""The backward half of a bidirectional PyTorch RNN with the same weights."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, weight_ih, weight_hh = draw.normal(size=(2, 5, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))

layer = torch.nn.RNN(3, 4, bias=False, bidirectional=True, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    layer.weight_ih_l0_reverse.copy_(torch.from_numpy(weight_ih))
    layer.weight_hh_l0_reverse.copy_(torch.from_numpy(weight_hh))
    outputs, _ = layer(torch.from_numpy(inputs))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs[:, :, 4:].tolist()}))
