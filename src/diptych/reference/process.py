"""What the framework is told once, when its process starts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diptych.config import Precision
from diptych.errors import BackendError
from diptych.parameters.specification import Parameter


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


def choose(weights: Mapping[str, Parameter], precision: Precision) -> dict[str, str]:
    """Choose by measuring, unless this process has, what is fastest for a model of these weights; gives `choices`."""
    return choices()
