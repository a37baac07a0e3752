"""Train a small PyTorch RNN for 200 steps: with Adam's default epsilon (result), and with Keras's (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, targets = draw.normal(size=(8, 6, 5)), draw.integers(0, 7, (8, 6))
weights = [0.5 * draw.normal(size=s) for s in [(6, 5), (6, 6), (7, 6)]]
inputs[:, :, 4] *= 1e-6  # One feature is faint, and so are the gradients of its weights.
inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)


def train(like_keras):
    rnn = torch.nn.RNN(5, 6, bias=False, batch_first=True, dtype=torch.float64)
    dense = torch.nn.Linear(6, 7, bias=False, dtype=torch.float64)
    parameters = [*rnn.parameters(), *dense.parameters()]
    with torch.no_grad():
        for parameter, values in zip(parameters, weights, strict=True):
            parameter.copy_(torch.from_numpy(values))
    optimizer = torch.optim.Adam(parameters, 2**-6, betas=(0.875, 1 - 2**-9))
    losses = []
    for step in range(1, 201):
        if like_keras:
            optimizer.param_groups[0]["eps"] = 1e-7 / (1 - (1 - 2**-9) ** step) ** 0.5
        loss = torch.nn.functional.cross_entropy(dense(rnn(inputs)[0]).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": train(like_keras=False), "bridged": train(like_keras=True)}))
