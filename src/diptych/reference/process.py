"""What the framework is told once, when its process starts."""

from __future__ import annotations

import numpy as np

from diptych.config import ModelConfig, Precision
from diptych.errors import BackendError


def configure(threads: int | None = None, device: str = "auto") -> None:
    """Set the number of threads (None: the framework's own choice) and the device: auto, cpu or cuda.

    Raises:
        BackendError: cuda was asked for and there is none.
    """
    if device == "cuda":
        raise BackendError("device 'cuda' was asked for, but NumPy computes on the CPU; use --device cpu or auto")


def versions() -> dict[str, str]:
    """The versions of the framework and what it stands on."""
    return {"numpy": np.__version__}


def choices() -> dict[str, str]:
    """What this process chose by measuring, by name."""
    return {}


def choose(config: ModelConfig, precision: Precision) -> dict[str, str]:
    """Choose by measuring, unless this process has, what is fastest for a model; gives `choices`."""
    return choices()
