"""How the workers of one training reach each other: with what the framework itself has for that."""

from __future__ import annotations

import time
from collections.abc import Sequence

import tensorflow as tf
from tensorflow import Tensor

from diptych.errors import BackendError
from diptych.tensorflow.private import check_peer, connect

SECONDS_TO_JOIN = 120.0
"""So long a worker waits for the others to come."""
MOST_WATCHED = 32
"""Of more workers than this, each watches only the first and the next one."""
SECONDS_TO_ANSWER = 3.0
"""So long a worker may take to say that it lives."""


class Exchange:
    """Connects a worker with the others: collective operations, between servers that TensorFlow starts."""

    def __init__(self, rank: int, addresses: Sequence[str], size: int) -> None:
        """Join the others, and wait until all are there.

        Args:
            rank: which of the workers this is, from 0.
            addresses: HOST:PORT of each worker in order.
            size: how many workers there are.

        Raises:
            BackendError: an address cannot be reached or is taken, or a worker does not come.
        """
        self.rank, self.size = rank, size
        others = [other for other in range(size) if other != rank]
        self.watched = others if size <= MOST_WATCHED else sorted({0, (rank + 1) % size} - {rank})
        if len(addresses) != size:
            raise BackendError(
                f"TensorFlow's workers need the address of each of the {size}, got {len(addresses)}: start them with "
                f"TF_CONFIG, under Slurm, or on one machine by --workers"
            )
        try:
            connect(rank, addresses)
            self.device = f"/job:worker/replica:0/task:{rank}/device:CPU:0"
            self.patience = SECONDS_TO_JOIN
            self.add(tf.zeros([1], tf.int64))
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            raise BackendError(
                f"worker {rank} of {size} could not join the others from {addresses[rank]}: {_first_line(error)}; "
                f"see that all {size} are started and that this port is free and can be reached"
            ) from error
        # From here on a worker that does not come is found by its silence.
        self.patience = 0.0
        self.seen = dict.fromkeys(self.watched, time.monotonic())

    def add(self, values: Tensor) -> Tensor:
        """The sum over all workers of such a tensor of whole numbers (N,) int64; each has to ask for it."""
        with tf.device(self.device):
            return tf.raw_ops.CollectiveReduceV2(
                input=tf.identity(values),
                group_size=self.size,
                group_key=1,
                instance_key=1 + len(values),  # one for each length: what goes by one key has one shape
                ordering_token=[],
                merge_op="Add",
                final_op="Id",
                communication_hint="ring",
                timeout_seconds=self.patience,
            )

    def trade(self, values: Tensor) -> Tensor:
        """Give row k of a tensor (size, N) to worker k; the rows (size, N) that all gave to this one, in order."""
        with tf.device(self.device):
            return tf.raw_ops.CollectiveAllToAllV2(
                input=tf.identity(values),
                group_size=self.size,
                group_key=1,
                instance_key=-values.shape[1],  # one for each length, and none of those of `add`
                ordering_token=[],
                communication_hint="ring",
                timeout_seconds=self.patience,
            )

    def collect(self, values: Tensor) -> Tensor:
        """What each worker has, a tensor (N,), as rows (size, N) in order."""
        return self.trade(tf.tile(values[None], [self.size, 1]))

    def silence(self) -> dict[int, float]:
        """Give a sign of life; for how many seconds others, by number, have given none, as far as this one knows."""
        for other in self.watched:
            if check_peer(other, SECONDS_TO_ANSWER):
                self.seen[other] = time.monotonic()
        now = time.monotonic()
        return {other: now - since for other, since in self.seen.items()}

    def close(self) -> None:
        """Leave the others."""


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
