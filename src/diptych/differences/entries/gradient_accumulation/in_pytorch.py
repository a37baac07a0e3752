"""The gradient of the same loss, taken twice, the second time: as it is (result), and cleared between (bridged)."""

import json

import torch


def second_gradient(cleared):
    weight = torch.nn.Parameter(torch.tensor(2.0))
    optimizer = torch.optim.SGD([weight])
    for _ in range(2):
        if cleared:
            optimizer.zero_grad()
        (weight**2).backward()
    return weight.grad.item()


versions = {"torch": torch.__version__}
print(
    json.dumps(
        {"versions": versions, "result": second_gradient(cleared=False), "bridged": second_gradient(cleared=True)}
    )
)
