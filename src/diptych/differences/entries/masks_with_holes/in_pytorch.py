"""A PyTorch RNN over a sentence of three words, packed: padded on the left (result) and on the right (bridged)."""

import json

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence

draw = np.random.default_rng(1)
words, weight_ih, weight_hh = draw.normal(size=(1, 3, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))
padding = np.ones((1, 2, 3))

layer = torch.nn.RNN(3, 4, bias=False, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    layer.weight_ih_l0.copy_(torch.from_numpy(weight_ih))
    layer.weight_hh_l0.copy_(torch.from_numpy(weight_hh))


def state(parts):
    inputs = torch.from_numpy(np.concatenate(parts, axis=1))
    with torch.no_grad():
        _, state = layer(pack_padded_sequence(inputs, torch.tensor([3]), batch_first=True))
    return state[0].tolist()


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": state([padding, words]), "bridged": state([words, padding])}))
