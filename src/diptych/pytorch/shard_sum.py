"""Adding up the losses and gradients of shards, the same whoever computes them (docs/equations.md, 25)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from diptych.panel.protocol import Others
from diptych.pytorch.linear import in_rows
from diptych.pytorch.weights import Binding

CHUNK = 2**15
"""So many numbers at once stay in a processor's cache from one operation to the next."""

Part = tuple[Tensor, list[Tensor], int]
"""A shard's loss, its gradients, and its real target positions."""


class Total(NamedTuple):
    """What all shards give together.

    Attributes:
        loss: the loss per real token of the step.
        gradients: those of the variables.
        faults: how many workers found a number that is not finite in their part.
        stops: how many asked all to stop.
    """

    loss: Tensor
    gradients: list[Tensor]
    faults: int
    stops: int


class ShardSum:
    """Adds up the losses and the gradients of a step's shards, in their order, in the weights' type."""

    def __init__(self, variables: list[Binding], shards: int) -> None:
        """Add up at most so many shards, each with a loss and a gradient of each variable."""
        self.bindings = variables
        self.sizes = [1, *(binding.variable.numel() for binding in variables)]
        self.shards = shards

    def of(self, parts: Iterable[Part], tokens: int, stop: bool, others: Others | None) -> Total:
        """What all shards of a step give together; with others, each worker adds up one part of the numbers for all.

        Args:
            parts: of each shard of this worker's the loss, the gradients, and its real target positions.
            tokens: those of all shards of the step.
            stop: whether this worker asks all to stop.
            others: the workers that share the step, of whose shards each in turn has one; None: there are none.
        """
        if others is None:
            total = self.start(sum(self.sizes))
            for loss, gradients, count in parts:
                total = self.add(total, [loss, *self._rows(gradients)], count / tokens)
            return self._total(self.read(total, stop)[None])
        size, own = others.size, iter(parts)
        width = -(-sum(self.sizes) // size)
        total = self.start(width)
        for _ in range(-(-self.shards // size)):  # all as often, whoever has a shard less
            for row in others.trade(self._cut(next(own, None), size, width)):
                total = self.add(total, [row[1:]], row[0].item() / tokens)
        return self._total(others.collect(self.read(total, stop)))

    def start(self, count: int) -> Tensor:
        """The sum (N,) of no shard, for so many numbers."""
        return torch.zeros(count, dtype=self._kind, device=self.bindings[0].variable.device)

    def add(self, total: Tensor, numbers: Iterable[Tensor], share: float) -> Tensor:
        """The sum, with a shard's numbers times its share of the tokens: each product and each sum is rounded."""
        place = 0
        for each in numbers:
            for chunk in each.detach().reshape(-1).split(CHUNK):
                total[place : place + len(chunk)] += chunk * share
                place += len(chunk)
        return total

    def read(self, total: Tensor, stop: bool) -> Tensor:
        """The sum (N + 2,), whether a number of it is not finite, and whether to stop."""
        return torch.cat([total, total.new_tensor([not bool(total.isfinite().all()), stop])])

    @property
    def _kind(self) -> torch.dtype:
        return self.bindings[0].variable.dtype

    def _rows(self, gradients: list[Tensor]) -> list[Tensor]:
        return [in_rows(binding.variable, each) for binding, each in zip(self.bindings, gradients, strict=True)]

    def _cut(self, part: Part | None, size: int, width: int) -> Tensor:
        """A shard's numbers in a row (size, 1 + width) for each worker, after its tokens; zeros where there is none."""
        cut = torch.zeros((size, 1 + width), dtype=self._kind, device=self.bindings[0].variable.device)
        if part is not None:
            loss, gradients, count = part
            numbers = torch.cat([each.detach().reshape(-1) for each in (loss, *self._rows(gradients))])
            cut[:, 0] = count
            for row, own in zip(cut, numbers.split(width)):
                row[1 : 1 + len(own)] = own
        return cut

    def _total(self, told: Tensor) -> Total:
        """What the workers have read (size, N + 2), one part of the numbers each, with what is beyond the last."""
        loss, *flat = told[:, :-2].reshape(-1)[: sum(self.sizes)].split(self.sizes)
        gradients = []
        for binding, values in zip(self.bindings, flat, strict=True):
            variable = binding.variable
            gradients.append(in_rows(variable, values.view(in_rows(variable, variable).shape)))
        faults, stops = (int(number) for number in told[:, -2:].sum(0).tolist())
        return Total(loss.view(()), gradients, faults=faults, stops=stops)
