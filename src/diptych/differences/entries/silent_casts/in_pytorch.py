"""What a PyTorch layer makes of float64 inputs: as it is (result), and made for float64 (bridged)."""

import json

import numpy as np
import torch

inputs = torch.from_numpy(np.ones((2, 3)))


def outcome(**options):
    try:
        return str(torch.nn.Linear(3, 4, **options)(inputs).dtype).removeprefix("torch.")
    except RuntimeError as error:
        return type(error).__name__


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outcome(), "bridged": outcome(dtype=torch.float64)}))
