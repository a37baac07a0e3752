"""A denormal float32 number, multiplied until it is one, in PyTorch: as it is (result), and flushed (bridged)."""

import json

import torch


def grown():
    return (torch.full([8], 1e-40) * 1e30 * 1e10).tolist()


result = grown()
torch.set_flush_denormal(True)
print(json.dumps({"versions": {"torch": torch.__version__}, "result": result, "bridged": grown()}))
