"""A PyTorch RNN over the same four rows: as it is by default (result), and with the batch first (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, weight_ih, weight_hh = draw.normal(size=(4, 4, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))


def outputs(**options):
    layer = torch.nn.RNN(3, 4, bias=False, dtype=torch.float64, **options)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.from_numpy(weight_ih))
        layer.weight_hh_l0.copy_(torch.from_numpy(weight_hh))
        return layer(torch.from_numpy(inputs))[0].tolist()


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outputs(), "bridged": outputs(batch_first=True)}))
