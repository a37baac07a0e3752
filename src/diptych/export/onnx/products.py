"""Matrix products with a model's weights: in the file's precision, or in int8.

In int8 a weight has one scale for each output, and what it is multiplied with is quantised when it is there, once for
all products that take it (`DynamicQuantizeLinear`), to 0 to 255; the sums are int32. A runtime fuses each product with
its scaling and its bias.

A weight in a product goes from -64 to 64: a processor without VNNI adds two products of a byte with a byte in int16 and
cuts off what does not fit. 2 x 255 x 64 fits; with 127 log-probabilities are off ten times as far.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.onnx.writer import GraphWriter

Weights = dict[str, npt.NDArray[Any]]
FLOAT = 1
LARGEST, LARGEST_FACTOR = 127, 64


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
            numbers, scales = quantized(array, LARGEST)
            real = self.op("Cast", [self.weight(f"{name}.int8", numbers)], f"{name}.real", to=FLOAT)
            self.made["stored", name] = self.op("Mul", [real, self.weight(f"{name}.scale", scales)], f"{name}.scaled")
        return str(self.made["stored", name])

    def embedded(self, tokens: str, table: str) -> str:
        """Tokens (...) give vectors (..., E) of an embedding's table."""
        name = f"{table}.row"
        if not self.int8:
            return self.op("Gather", [self.weight(table, self.weights[table]), tokens], name)
        numbers, scales = quantized(self.weights[table], LARGEST_FACTOR)  # the output layer's, too, if they are tied
        rows = self.op("Gather", [self.weight(f"{table}.int8", numbers), tokens], f"{name}.int8")
        sizes = self.op("Gather", [self.weight(f"{table}.scale", scales), tokens], f"{name}.scale")
        return self.op("Mul", [self.op("Cast", [rows], f"{name}.real", to=FLOAT), sizes], name)

    def product(self, x: str, weight: str, bias: str = "") -> str:
        """x (N, I) and a weight (O, I) give (N, O), with a bias (O,) if it is named."""
        matrix = self.weights[weight]
        added = [self.weight(bias, self.weights[bias])] if bias else []
        if not self.int8:
            return self.op("Gemm", [x, self.weight(weight, matrix), *added], f"{weight}.product", transB=1)
        numbers, scales = quantized(matrix, LARGEST_FACTOR)
        if ("quantized", x) not in self.made:
            self.made["quantized", x] = self.ops(
                "DynamicQuantizeLinear", [x], [f"{x}.uint8", f"{x}.scale", f"{x}.zero_point"]
            )
        values, size, zero = self.made["quantized", x]
        # As the embedding has it, if they are tied; a runtime turns it round when it loads it.
        turned = self.op("Transpose", [self.weight(f"{weight}.int8", numbers)], f"{weight}.columns", perm=[1, 0])
        sums = self.op("MatMulInteger", [values, turned, zero], f"{weight}.sums")
        both = self.op("Mul", [size, self.weight(f"{weight}.scales", scales[:, 0])], f"{weight}.both_scales")
        found = self.op("Mul", [self.op("Cast", [sums], f"{weight}.real", to=FLOAT), both], f"{weight}.product")
        return self.op("Add", [found, *added], f"{weight}.with_bias") if added else found


def quantized(array: npt.NDArray[Any], largest: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Numbers from -largest to largest and the scales (..., 1) of the last axis, whose largest is so many of them."""
    most = np.abs(array).max(axis=-1, keepdims=True)
    scales = np.where(most > 0.0, most / largest, 1.0).astype(np.float32)
    return np.rint(array / scales).astype(np.int8), scales
