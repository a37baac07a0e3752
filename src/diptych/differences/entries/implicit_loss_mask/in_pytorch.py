"""The loss of the same PyTorch decoder on the same two sentences."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
weights = [draw.normal(size=s) for s in [(8, 5), (6, 5), (6, 6), (8, 6)]]
ids = torch.tensor([[1, 5, 6, 7, 4, 2], [1, 7, 5, 2, 0, 0]])  # 1 begins a sentence, 2 ends it, 0 is padding.
inputs, targets = ids[:, :-1], ids[:, 1:]

embedding = torch.nn.Embedding(8, 5, padding_idx=0, dtype=torch.float64)
rnn = torch.nn.RNN(5, 6, bias=False, batch_first=True, dtype=torch.float64)
dense = torch.nn.Linear(6, 8, bias=False, dtype=torch.float64)
with torch.no_grad():
    for parameter, values in zip(
        [*embedding.parameters(), *rnn.parameters(), *dense.parameters()], weights, strict=True
    ):
        parameter.copy_(torch.from_numpy(values))
    logits = dense(rnn(embedding(inputs))[0])
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": loss.item()}))
