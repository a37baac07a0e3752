"""Train the same small GRU in PyTorch for 200 steps."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs = torch.from_numpy(draw.integers(0, 7, (8, 6)))
targets = inputs.roll(1, dims=1)  # Say the word before.
weights = [0.5 * draw.normal(size=s) for s in [(7, 5), (18, 5), (18, 6), (7, 6)]]

embedding = torch.nn.Embedding(7, 5, dtype=torch.float64)
gru = torch.nn.GRU(5, 6, bias=False, batch_first=True, dtype=torch.float64)
dense = torch.nn.Linear(6, 7, bias=False, dtype=torch.float64)
parameters = [*embedding.parameters(), *gru.parameters(), *dense.parameters()]
with torch.no_grad():
    for parameter, values in zip(parameters, weights, strict=True):
        parameter.copy_(torch.from_numpy(values))

optimizer = torch.optim.Adam(parameters, 2**-6, betas=(0.875, 1 - 2**-9))
losses = []
for step in range(1, 201):
    optimizer.param_groups[0]["eps"] = 1e-8 / (1 - (1 - 2**-9) ** step) ** 0.5  # Keras's epsilon
    loss = torch.nn.functional.cross_entropy(dense(gru(embedding(inputs))[0]).flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": losses}))
