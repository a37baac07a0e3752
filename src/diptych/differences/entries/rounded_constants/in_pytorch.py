"""Train a small PyTorch GRU for 200 steps: with Adam's constants (result), and with them rounded (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
words = draw.integers(0, 7, (8, 6))
inputs, targets = np.eye(7)[words], np.roll(words, 1, axis=1)  # Say the word before.
weights = [0.5 * draw.normal(size=s) for s in [(18, 7), (18, 6), (7, 6)]]
inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)


def correction(beta1, beta2, step):
    return (1 - beta2**step) ** 0.5 / (1 - beta1**step)


def train(rounded):
    gru = torch.nn.GRU(7, 6, bias=False, batch_first=True, dtype=torch.float64)
    dense = torch.nn.Linear(6, 7, bias=False, dtype=torch.float64)
    parameters = [*gru.parameters(), *dense.parameters()]
    with torch.no_grad():
        for parameter, values in zip(parameters, weights, strict=True):
            parameter.copy_(torch.from_numpy(values))
    optimizer = torch.optim.Adam(parameters, 0.01)
    group, losses = optimizer.param_groups[0], []
    for step in range(1, 201):
        group["eps"] = 1e-7 / (1 - 0.999**step) ** 0.5  # Keras's epsilon
        if rounded:
            rate, beta1, beta2 = (float(np.float32(constant)) for constant in (0.01, 0.9, 0.999))
            group["lr"] = rate * correction(beta1, beta2, step) / correction(0.9, 0.999, step)
        loss = torch.nn.functional.cross_entropy(dense(gru(inputs)[0]).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": train(rounded=False), "bridged": train(rounded=True)}))
