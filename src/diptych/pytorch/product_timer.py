"""Matrix products by themselves: how fast this process makes them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diptych.config import Precision
from diptych.pytorch.model import COMPUTE
from diptych.pytorch.private import has_onednn, onednn_linear
from diptych.pytorch.weights import to_tensor


class ProductTimer:
    """Times one matrix product, in the memory layout that it has in a training step."""

    def __init__(self, part: str, left: np.ndarray, right: np.ndarray, precision: Precision) -> None:
        """Lay out the operands.

        Args:
            part: "forward", "input gradient" or "weight gradient".
            left: (m, k), or (batch, m, k).
            right: (k, n), or (batch, k, n).
            precision: of the product.
        """
        dtype = COMPUTE[precision]
        self.left, self.right = (to_tensor(array).to(dtype) for array in (left, right))
        self.by_columns = self.right
        # A weight is stored with one row per output, unless `linear.Arithmetic` laid it out by columns.
        if part == "forward":
            self.right = self.right.mT.contiguous().mT
        if part == "weight gradient":
            self.left = self.left.mT.contiguous().mT
        self.result = torch.matmul(self.left, self.right)

    def seconds(self, repetitions: int) -> float:
        """The seconds that one product takes, as the mean of so many in a row; by the fastest kernel there is."""
        return min(self._time(kernel, repetitions) for kernel in self._kernels())

    def _kernels(self) -> list[Callable[[], Tensor]]:
        kernels = [lambda: torch.matmul(self.left, self.right, out=self.result)]
        plain = self.left.dim() == 2 and self.left.device.type == "cpu" and self.left.dtype == torch.float32
        if plain and has_onednn():
            # By itself PyTorch takes oneDNN for bfloat16, but not for float32.
            weight = self.by_columns.mT
            kernels.append(lambda: onednn_linear(self.left, weight))
            kernels.append(lambda: onednn_linear(weight, self.left).mT)
        return kernels

    def _time(self, kernel: Callable[[], Tensor], repetitions: int) -> float:
        with torch.inference_mode():
            mark = time.perf_counter()
            for _ in range(repetitions):
                result = kernel()
            result.flatten()[0].item()  # wait for the device
            return (time.perf_counter() - mark) / repetitions
