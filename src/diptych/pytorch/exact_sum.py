"""Adding up the losses and gradients of shards such that no order changes a bit (docs/equations.md, 25)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diptych.pytorch.linear import in_rows
from diptych.pytorch.weights import Binding

HIGH, LOW = 2.0**30, 2.0**80
"""What a number is counted in: multiples of 1 / HIGH, and of 1 / LOW for what these leave."""
LARGEST = 2.0**32
"""No sum of numbers may reach this."""
CHUNK = 2**15
"""So many numbers at once stay in a processor's cache from one operation to the next."""


class Total(NamedTuple):
    """What all shards give together.

    Attributes:
        loss: the loss per real token of the step.
        gradients: those of the variables.
        faults: how many shards had a number that is not finite, or too large to be added up.
        stops: how many workers asked all to stop.
    """

    loss: Tensor
    gradients: list[Tensor]
    faults: int
    stops: int


class ExactSum:
    """Turns the loss and the gradients of a shard into whole numbers, and the sum of these back.

    They are a tensor (2N + 2,) int64 for N numbers: multiples of 1 / HIGH, of 1 / LOW, faults and stops.
    """

    def __init__(self, variables: list[Binding], shards: int) -> None:
        """Add up so many shards, each with a loss and a gradient of each variable."""
        self.bindings = variables
        self.sizes = [1, *(binding.variable.numel() for binding in variables)]
        self.limit = LARGEST / shards

    def start(self, stop: bool) -> Tensor:
        """The whole numbers of no shard; `stop`: this worker asks all to stop."""
        total = torch.zeros(2 * sum(self.sizes) + 2, dtype=torch.int64, device=self.bindings[0].variable.device)
        total[-1] = int(stop)
        return total

    def add(self, total: Tensor, loss: Tensor, gradients: list[Tensor], share: float) -> Tensor:
        """The whole numbers, with those of a shard's loss and gradients times its share of the tokens."""
        highs, lows, fits, place = total, total[sum(self.sizes) :], [], 0
        rows = (in_rows(binding.variable, each) for binding, each in zip(self.bindings, gradients, strict=True))
        for numbers in (loss.detach(), *rows):
            for chunk in numbers.reshape(-1).split(CHUNK):
                scaled = chunk.double().mul_(share)
                fits.append((scaled.abs() < self.limit).all())
                high = torch.mul(scaled, HIGH).round_()
                highs[place : place + len(chunk)] += high.long()
                lows[place : place + len(chunk)] += scaled.sub_(high.div_(HIGH)).mul_(LOW).round_().long()
                place += len(chunk)
        total[-2] += 1 - torch.stack(fits).all().long()
        return total

    def read(self, total: Tensor) -> Total:
        """What the whole numbers of all shards stand for."""
        kind, count = self.bindings[0].variable.dtype, sum(self.sizes)
        numbers = torch.empty(count, dtype=kind, device=total.device)
        for start in range(0, count, CHUNK):
            end = min(start + CHUNK, count)
            low = total[count + start : count + end].double().div_(LOW)
            numbers[start:end] = total[start:end].double().div_(HIGH).add_(low)
        loss, *flat = numbers.split(self.sizes)
        gradients = []
        for binding, values in zip(self.bindings, flat, strict=True):
            variable = binding.variable
            gradients.append(in_rows(variable, values.view(in_rows(variable, variable).shape)))
        faults, stops = total[-2:].tolist()
        return Total(loss.view(()), gradients, faults=faults, stops=stops)
