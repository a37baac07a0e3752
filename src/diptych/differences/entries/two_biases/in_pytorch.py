"""Train a small PyTorch LSTM for 200 steps: with its two biases (result), and with one of them held (bridged)."""

import json

import numpy as np
import torch

draw = np.random.default_rng(1)
inputs, targets = draw.normal(size=(8, 6, 5)), draw.integers(0, 7, (8, 6))
weight_ih, weight_hh, bias, weight_out = (0.5 * draw.normal(size=s) for s in [(24, 5), (24, 6), (24,), (7, 6)])
inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)


def train(biases):
    lstm = torch.nn.LSTM(5, 6, batch_first=True, dtype=torch.float64)
    dense = torch.nn.Linear(6, 7, bias=False, dtype=torch.float64)
    parameters = [*lstm.parameters(), *dense.parameters()]
    with torch.no_grad():
        for parameter, values in zip(parameters, [weight_ih, weight_hh, bias, 0 * bias, weight_out], strict=True):
            parameter.copy_(torch.from_numpy(values))
    lstm.bias_hh_l0.requires_grad_(biases == 2)
    optimizer = torch.optim.Adam(parameters, 2**-6, betas=(0.875, 1 - 2**-9))
    losses, moved = [], []
    for step in range(1, 201):
        optimizer.param_groups[0]["eps"] = 1e-8 / (1 - (1 - 2**-9) ** step) ** 0.5  # Keras's epsilon
        loss = torch.nn.functional.cross_entropy(dense(lstm(inputs)[0]).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        moved.append((lstm.bias_ih_l0 + lstm.bias_hh_l0 - torch.from_numpy(bias)).abs().max().item())
    return losses, moved[0]


losses, moved = train(biases=2)
versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": losses,
            "bridged": train(biases=1)[0],
            "details": {"the sum of the biases moved in one step": moved},
        }
    )
)
