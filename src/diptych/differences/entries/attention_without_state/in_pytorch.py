"""Five steps of the same decoder with attention, called as PyTorch's tutorial calls it, with its state."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
memory, words = torch.from_numpy(draw.normal(size=(2, 4, 3))), torch.from_numpy(draw.normal(size=(2, 5, 3)))
w_query, w_memory, v = (torch.from_numpy(draw.normal(size=shape)) for shape in [(3, 3), (3, 3), (3, 1)])
weight_ih, weight_hh = draw.normal(size=(9, 6)), draw.normal(size=(9, 3))

gru = torch.nn.GRU(6, 3, bias=False, batch_first=True, dtype=torch.float64)
outputs, state = [], torch.zeros(1, 2, 3, dtype=torch.float64)
with torch.no_grad():
    gru.weight_ih_l0.copy_(torch.from_numpy(weight_ih))
    gru.weight_hh_l0.copy_(torch.from_numpy(weight_hh))
    for t in range(5):
        scores = torch.tanh(state[0][:, None] @ w_query + memory @ w_memory) @ v
        context = (torch.softmax(scores, dim=1) * memory).sum(dim=1)
        x = torch.cat([context, words[:, t]], dim=-1)[:, None]
        output, state = gru(x, state)
        outputs.append(output[:, 0].tolist())

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs}))
