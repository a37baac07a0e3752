"""Dot attention by PyTorch's function: as it is (result), and unscaled (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
query, memory = (torch.from_numpy(draw.normal(size=shape)) for shape in [(2, 3, 16), (2, 5, 16)])
attend = torch.nn.functional.scaled_dot_product_attention

versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": attend(query, memory, memory).tolist(),
            "bridged": attend(query, memory, memory, scale=1.0).tolist(),
        }
    )
)
