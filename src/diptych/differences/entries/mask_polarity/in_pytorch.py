"""One head of PyTorch's attention: the same mask (result), and its opposite (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
query, memory = (torch.from_numpy(draw.normal(size=shape)) for shape in [(1, 3, 4), (1, 5, 4)])
mask = torch.tensor([[True, True, True, False, False]])

layer = torch.nn.MultiheadAttention(4, 1, bias=False, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    layer.in_proj_weight.copy_(torch.eye(4).repeat(3, 1))
    layer.out_proj.weight.copy_(torch.eye(4))
    weights, bridged = (layer(query, memory, memory, key_padding_mask=m)[1] for m in (mask, ~mask))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": weights.tolist(), "bridged": bridged.tolist()}))
