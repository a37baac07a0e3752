"""What the framework is told once, when its process starts."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from contextlib import suppress

import torch

from diptych.errors import BackendError
from diptych.pytorch import linear


def configure(threads: int | None = None, device: str = "auto") -> None:
    """Set the number of threads (None: the framework's own choice) and the device: auto, cpu or cuda.

    Raises:
        BackendError: cuda was asked for and there is none.
    """
    # float32 means float32: on a GPU, products would otherwise be rounded to TensorFloat-32.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if threads is not None:
        torch.set_num_threads(threads)
    _keep_freed_memory()
    # A product that meets numbers below 1e-38 is ten times slower or more; in training they become zero, as they do in
    # TensorFlow. The threads that this addition starts keep to that; this one, which is the caller's, does not.
    torch.set_flush_denormal(True)
    torch.zeros(2**20).add_(1.0)
    torch.set_flush_denormal(False)
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise BackendError("device 'cuda' was asked for, but PyTorch finds no GPU; use --device cpu or auto")
    # None, not "cpu": a default device, whichever it is, makes every call slower.
    torch.set_default_device("cuda" if available and device != "cpu" else None)


def _keep_freed_memory() -> None:
    """Where the C library is glibc: do not give memory back that the next step asks for again, a tenth of its time."""
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: never
        mallopt(-4, 0)  # M_MMAP_MAX: no tensor in a mapping of its own


def versions() -> dict[str, str]:
    """The versions of the framework and what it stands on."""
    return {"torch": torch.__version__}


def choices() -> dict[str, str]:
    """What this process chose by measuring, by name."""
    return {"matrix products": linear.chosen()}


def settle(choices: Mapping[str, str]) -> None:
    """Do not measure, but keep to what another process chose."""
    if "matrix products" in choices:
        linear.use(choices["matrix products"])
