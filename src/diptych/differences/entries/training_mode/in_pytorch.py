"""How much a new PyTorch dropout layer drops when it is called: as it is (result), and after eval() (bridged)."""

import json

import torch

torch.manual_seed(1)
layer = torch.nn.Dropout(0.5)


def dropped():
    return (layer(torch.ones(100, 100)) == 0).double().mean().item()


result = dropped()
layer.eval()
versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": result, "bridged": dropped()}))
