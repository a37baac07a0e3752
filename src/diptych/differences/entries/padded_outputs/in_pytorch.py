"""A PyTorch RNN over the same two sentences, packed."""

import json

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

draw = np.random.default_rng(1)
inputs, weight_ih, weight_hh = draw.normal(size=(2, 5, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))

layer = torch.nn.RNN(3, 4, bias=False, batch_first=True, dtype=torch.float64)
with torch.no_grad():
    layer.weight_ih_l0.copy_(torch.from_numpy(weight_ih))
    layer.weight_hh_l0.copy_(torch.from_numpy(weight_hh))
    packed = pack_padded_sequence(torch.from_numpy(inputs), torch.tensor([5, 2]), batch_first=True)
    outputs, _ = pad_packed_sequence(layer(packed)[0], batch_first=True)

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs.tolist()}))
