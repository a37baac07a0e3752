"""A PyTorch RNN over a batch of two rows, the second of them padding only."""

import json

import torch
from torch.nn.utils.rnn import pack_padded_sequence

layer = torch.nn.RNN(2, 2, batch_first=True)
details = {}
try:
    with torch.no_grad():
        _, states = layer(pack_padded_sequence(torch.ones(2, 3, 2), torch.tensor([2, 0]), batch_first=True))
    outcome = "a state of zeros" if not states[0, 1].any() else "another state"
except RuntimeError as error:
    outcome = type(error).__name__
    details = {"message": str(error)}

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": outcome, "details": details}))
