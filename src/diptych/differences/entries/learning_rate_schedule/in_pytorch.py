"""The learning rates of eight steps of a PyTorch schedule with its milestone at 3."""

import json

import torch

weight = torch.nn.Parameter(torch.zeros(()))
optimizer = torch.optim.SGD([weight], 1.0)
schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[3], gamma=0.125)
moves = []
for _ in range(8):
    before = weight.item()
    weight.grad = torch.ones(())
    optimizer.step()
    schedule.step()
    moves.append(before - weight.item())

versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": moves}))
