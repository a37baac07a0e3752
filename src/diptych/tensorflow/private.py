"""What TensorFlow keeps to itself and this panel calls all the same, because it offers no other way; all of it is here.

Collective operations need servers that know each other. In public they are started only by a distribution strategy,
which would also place variables, divide batches and average gradients, none of which is wanted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def connect(rank: int, addresses: Sequence[str]) -> None:
    """Start this worker's server, at its own of these addresses; before anything is computed.

    Raises:
        RuntimeError, tf.errors.OpError: something has been computed, or the address is taken.
    """
    context = _context()
    context.configure_collective_ops(collective_leader=_task(0))
    cluster = tf.train.ClusterSpec({"worker": list(addresses)}).as_cluster_def()
    server = tf.train.ServerDef(
        cluster=cluster,
        job_name="worker",
        task_index=rank,
        protocol="grpc",
        default_session_config=context.config,
    )
    context.enable_collective_ops(server)
    context.ensure_initialized()


def check_peer(rank: int, seconds: float) -> bool:
    """Whether another worker's server answers within so many seconds."""
    try:
        _context().check_collective_ops_peer_health(_task(rank), round(1000 * seconds))
    except tf.errors.OpError:
        return False
    return True


def _task(rank: int) -> str:
    return f"/job:worker/replica:0/task:{rank}"


def _context() -> Any:
    from tensorflow.python.eager import context

    return context.context()
