"""Matrix products with a model's weights: in the file's precision, or in int8.

In int8 a weight has one scale for each output, -127 to 127, and what it is multiplied with is quantised when it is
there, once for all products that take it (`DynamicQuantizeLinear`); the sums are int32. A runtime fuses each product
with its scaling and its bias.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.onnx.writer import GraphWriter

Weights = dict[str, npt.NDArray[Any]]
FLOAT, LARGEST = 1, 127.0


class ModelWriter(GraphWriter):
    """Writes a graph with the weights of one model.

    Attributes:
        weights: every weight by its name in the specification.
        int8: whether weights are stored, and products of a step are made, in int8.
    """

    def __init__(self, weights: Weights, dtype: str = "float32", int8: bool = False, around: Any = None) -> None:
        """Begin without a node."""
        super().__init__(dtype, around)
        self.weights = weights
        self.int8 = int8

    def body(self) -> ModelWriter:
        """A writer for the body of a loop in this graph."""
        return ModelWriter(self.weights, self.dtype.name, int8=self.int8, around=self)

    def stored(self, name: str, array: npt.NDArray[Any]) -> str:
        """A weight that no product in int8 takes: whole, or as int8 numbers that a runtime scales when it loads them.

        Args:
            name: of the weight.
            array: (..., O, I); the last axis shares a scale.
        """
        if not self.int8:
            return self.weight(name, array)
        if ("stored", name) not in self.made:
            numbers, scales = quantized(array)
            real = self.op("Cast", [self.weight(f"{name}.int8", numbers)], f"{name}.real", to=FLOAT)
            self.made["stored", name] = self.op("Mul", [real, self.weight(f"{name}.scale", scales)], f"{name}.scaled")
        return str(self.made["stored", name])

    def embedded(self, tokens: str, table: str) -> str:
        """Tokens (...) give vectors (..., E) of an embedding's table."""
        name = f"{table}.row"
        if not self.int8:
            return self.op("Gather", [self.weight(table, self.weights[table]), tokens], name)
        numbers, scales = quantized(self.weights[table])
        rows = self.op("Gather", [self.weight(f"{table}.int8", numbers), tokens], f"{name}.int8")
        sizes = self.op("Gather", [self.weight(f"{table}.scale", scales), tokens], f"{name}.scale")
        return self.op("Mul", [self.op("Cast", [rows], f"{name}.real", to=FLOAT), sizes], name)

    def product(self, x: str, weight: str, bias: str = "") -> str:
        """x (N, I) and a weight (O, I) give (N, O), with a bias (O,) if it is named."""
        matrix, name = self.weights[weight], weight
        added = [self.weight(bias, self.weights[bias])] if bias else []
        if not self.int8:
            return self.op("Gemm", [x, self.weight(name, matrix), *added], f"{name}.product", transB=1)
        numbers, scales = quantized(matrix)
        if ("quantized", x) not in self.made:
            self.made["quantized", x] = self.ops(
                "DynamicQuantizeLinear", [x], [f"{x}.uint8", f"{x}.scale", f"{x}.zero_point"]
            )
        values, size, zero = self.made["quantized", x]
        # As the embedding has it, if they are tied; a runtime turns it round when it loads it.
        turned = self.op("Transpose", [self.weight(f"{name}.int8", numbers)], f"{name}.columns", perm=[1, 0])
        sums = self.op("MatMulInteger", [values, turned, zero], f"{name}.sums")
        both = self.op("Mul", [size, self.weight(f"{name}.scales", scales[:, 0])], f"{name}.both_scales")
        found = self.op("Mul", [self.op("Cast", [sums], f"{name}.real", to=FLOAT), both], f"{name}.product")
        return self.op("Add", [found, *added], f"{name}.with_bias") if added else found


def quantized(array: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Numbers from -127 to 127 and the scales (..., 1) of the last axis, whose largest number is 127 of them."""
    largest = np.abs(array).max(axis=-1, keepdims=True)
    scales = np.where(largest > 0.0, largest / LARGEST, 1.0).astype(np.float32)
    return np.rint(array / scales).astype(np.int8), scales
