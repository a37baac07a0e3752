"""Five uniform numbers after seeding with 1: by PyTorch (result), and by NumPy (bridged)."""

import json

import numpy as np
import torch

torch.manual_seed(1)
drawn = torch.rand(5, dtype=torch.float64)
shared = torch.from_numpy(np.random.Generator(np.random.Philox(key=1)).random(5))

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": drawn.tolist(), "bridged": shared.tolist()}))
