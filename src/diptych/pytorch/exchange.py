"""How the workers of one training reach each other: with what the framework itself has for that."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import torch.distributed
from torch import Tensor

from diptych.errors import BackendError

SECONDS_TO_JOIN = 120.0
"""So long a worker waits for the others to come."""
SECONDS_TO_LEAVE = 5.0
"""So long worker 0 waits for the others to go."""
MOST_WATCHED = 32
"""Of more workers than this, each watches only the first and the next one."""


class Exchange:
    """Connects a worker with the others: gloo, and the store through which its processes find each other."""

    def __init__(self, rank: int, addresses: Sequence[str], size: int) -> None:
        """Join the others, and wait until all are there.

        Args:
            rank: which of the workers this is, from 0.
            addresses: HOST:PORT of worker 0, or of each worker in order.
            size: how many workers there are.

        Raises:
            BackendError: an address cannot be reached or is taken, or a worker does not come.
        """
        self.rank, self.size = rank, size
        others = [other for other in range(size) if other != rank]
        self.watched = others if size <= MOST_WATCHED else sorted({0, (rank + 1) % size} - {rank})
        self.seen = dict.fromkeys(self.watched, (0, time.monotonic()))
        host, _, port = addresses[0].rpartition(":")
        distributed, patience = torch.distributed, timedelta(seconds=SECONDS_TO_JOIN)
        # torchrun has a store of its own at this address, the same for all its attempts.
        is_there = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        attempt = f"diptych {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}"
        try:
            store = distributed.TCPStore(host, int(port), size, rank == 0 and not is_there, patience)
            self.store = distributed.PrefixStore(attempt, store)
            distributed.init_process_group("gloo", store=self.store, rank=rank, world_size=size, timeout=patience)
            distributed.barrier()
        except (RuntimeError, ValueError) as error:
            raise BackendError(
                f"worker {rank} of {size} could not join the others by way of {addresses[0]}: {_first_line(error)}; "
                f"see that all {size} are started and that this port is free and can be reached"
            ) from error
        # From here on a worker that does not come is found by its silence.
        self.group = distributed.new_group(timeout=timedelta(days=7))

    def add(self, values: Tensor) -> Tensor:
        """The sum over all workers of such a tensor of whole numbers (N,) int64; each has to ask for it."""
        summed = values.cpu()
        torch.distributed.all_reduce(summed, group=self.group)
        return summed.to(values.device)

    def trade(self, values: Tensor) -> Tensor:
        """Give row k of a tensor (size, N) to worker k; the rows (size, N) that all gave to this one, in order."""
        given = values.cpu()
        taken = torch.empty_like(given)
        torch.distributed.all_to_all_single(taken, given, group=self.group)
        return taken.to(values.device)

    def collect(self, values: Tensor) -> Tensor:
        """What each worker has, a tensor (N,), as rows (size, N) in order."""
        return self.trade(values.expand(self.size, -1).contiguous())

    def silence(self) -> dict[int, float]:
        """Give a sign of life; for how many seconds others, by number, have given none, as far as this one knows."""
        self.store.add(f"alive {self.rank}", 1)
        for other in self.watched:
            signs = self.store.add(f"alive {other}", 0)
            if signs != self.seen[other][0]:
                self.seen[other] = signs, time.monotonic()
        now = time.monotonic()
        return {other: now - since for other, (_, since) in self.seen.items()}

    def close(self) -> None:
        """Leave the others."""
        patience = time.monotonic() + SECONDS_TO_LEAVE  # worker 0 keeps the store, and leaves last
        with suppress(RuntimeError):  # it did not wait so long
            self.store.add("left", 1)
            while self.rank == 0 and self.store.add("left", 0) < self.size and time.monotonic() < patience:
                time.sleep(0.02)
        torch.distributed.destroy_process_group()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
