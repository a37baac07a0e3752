"""What the framework is told once, when its process starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from diptych.config import Precision
from diptych.errors import BackendError
from diptych.parameters.specification import Parameter
from diptych.pytorch.kernels import Race, Shape
from diptych.pytorch.linear import PRODUCTS, choice_among, product_timer
from diptych.pytorch.private import has_onednn

_kernels = Race(product_timer)  # of this process
# Rows that are multiplied at once: those of a step, and those of a few steps together.
_ROWS, _POSITIONS = 64, 512


def configure(threads: int | None = None, device: str = "auto") -> None:
    """Set the number of threads (None: the framework's own choice) and the device: auto, cpu or cuda.

    Raises:
        BackendError: cuda was asked for and there is none.
    """
    # float32 means float32: on a GPU, products would otherwise be rounded to TensorFloat-32.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if threads is not None:
        torch.set_num_threads(threads)
    with denormals_flushed():
        torch.zeros(2**20).add_(1.0)  # starts PyTorch's threads, which keep to what this one is told now
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise BackendError("device 'cuda' was asked for, but PyTorch finds no GPU; use --device cpu or auto")
    # None, not "cpu": a default device, whichever it is, makes every call slower.
    torch.set_default_device("cuda" if available and device != "cpu" else None)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """While this lasts, this thread and those that it starts take numbers below 1e-38 for zero, as TensorFlow does.

    A product that meets such a number is ten times slower or more. In training they are worth nothing.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def versions() -> dict[str, str]:
    """The versions of the framework and what it stands on."""
    return {"torch": torch.__version__}


def choices() -> dict[str, str]:
    """What this process chose by measuring, by name."""
    return {PRODUCTS: str(_kernels.choice)}


def choose(weights: Mapping[str, Parameter], precision: Precision) -> dict[str, str]:
    """Choose by measuring, unless this process has, what is fastest for a model of these weights; gives `choices`."""
    if precision == "float32" and torch.get_default_device().type == "cpu" and has_onednn():
        rows: dict[Shape, int] = {}
        tables = [name for name, each in weights.items() if each.kind == "embedding"]
        looked_up = tables if "output_layer.weight" in weights else tables[:-1]  # a tied table multiplies, too
        for name, each in weights.items():
            if len(each.shape) == 2 and name not in looked_up:
                shape = each.shape[0], each.shape[1]
                rows[shape] = min(rows.get(shape, _POSITIONS), _ROWS if each.kind == "recurrent" else _POSITIONS)
        _kernels.run(rows)
    return choices()


def settle(choices: Mapping[str, str]) -> None:
    """Do not measure, but keep to what another process chose."""
    if PRODUCTS in choices:
        _kernels.settle(choice_among(choices))
