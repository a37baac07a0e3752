"""How much a new PyTorch LSTM keeps of its memory in one step: its own bias (result), and a bias of 1 (bridged)."""

import json

import torch

torch.manual_seed(1)
layer = torch.nn.LSTM(4, 512)


def kept():
    memory = torch.ones(1, 1, 512)
    with torch.no_grad():
        _, (_, memory) = layer(torch.zeros(1, 1, 4), (torch.zeros(1, 1, 512), memory))
    return memory.mean().item()


result = kept()
with torch.no_grad():
    layer.bias_ih_l0.zero_()
    layer.bias_hh_l0.zero_()
    layer.bias_ih_l0[512:1024] = 1.0

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": result, "bridged": kept()}))
