"""Whether PyTorch rounds float32 to TF32 by default: as it is (result), and switched off (bridged)."""

import json

import torch


def flags():
    cudnn = torch.backends.cudnn.allow_tf32  # One switch for convolutions and RNNs.
    return {"matrix products": torch.backends.cuda.matmul.allow_tf32, "convolutions": cudnn, "fused RNNs": cudnn}


result = flags()
torch.backends.cudnn.allow_tf32 = False
bridged = flags()
torch.backends.cudnn.allow_tf32 = result["fused RNNs"]

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": result, "bridged": bridged}))
