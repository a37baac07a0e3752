"""A graph written as an ONNX file: native LSTM, GRU and RNN nodes, lengths for masks, never a Loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.graph import Graph, Node, Ref
from diptych.convert.trial import inputs_that_run
from diptych.onnx import message
from diptych.onnx.message import Message
from diptych.onnx.writer import GraphWriter, model

Values = npt.NDArray[Any]
END = (1 << 63) - 1


@dataclass(frozen=True, eq=False)
class WrittenFile:
    """A graph as an ONNX model.

    Attributes:
        model: the whole message.
        lines: layer by layer, the node that it became.
    """

    model: Message
    lines: dict[str, str]

    def save(self, file: BinaryIO) -> None:
        """The bytes, into a file that is open."""
        file.writelines(self.model.pieces())


class FileWriter(GraphWriter):
    """Collects the nodes of a file while a graph is walked."""

    def __init__(self, graph: Graph, dtype: str) -> None:
        super().__init__(dtype)
        self.graph = graph
        self.variables: dict[Ref, str] = {}
        self.lines: dict[str, str] = {}
        self.used = graph.used()
        self.values = inputs_that_run(graph, 0)[1]
        self._taken |= {given.name for given in graph.inputs} | set(graph.outputs)
        for given in graph.inputs:
            self.variables[Ref(given.name)] = given.name

    def rank(self, node: Node, name: str = "x") -> int:
        """How many axes an input has, the batch among them."""
        return int(self.values[node.inputs[name]].ndim)

    def is_boolean(self, node: Node, name: str = "x") -> bool:
        """Whether an input is a mask."""
        return self.values[node.inputs[name]].dtype.kind == "b"

    def is_whole(self, node: Node, name: str = "x") -> bool:
        """Whether an input holds whole numbers."""
        return self.values[node.inputs[name]].dtype.kind in "iu"

    def given(self, node: Node, name: str = "x") -> str:
        """The tensor of an input."""
        return self.variables[node.inputs[name]]

    def numbered(self, node: Node) -> list[str]:
        """The tensors of x0, x1 and so on."""
        return [self.given(node, f"x{number}") for number in range(len(node.inputs))]

    def weight_of(self, node: Node, name: str, array: Values | None = None) -> str:
        """A weight of a node, or of the one whose weights it shares."""
        own = self.graph.weights_of(node)[name] if array is None else array
        return self.weight(f"{node.shares or node.name}.{name}", own)

    def assign(self, node: Node, tensor: str, output: str = "output") -> str:
        """What one output of a node is called."""
        self.variables[Ref(node.name, output)] = tensor
        return tensor


def write_onnx(graph: Graph, dtype: str = "float32", show: Iterable[Ref] = ()) -> WrittenFile:
    """A graph as an ONNX model.

    Args:
        graph: the model.
        dtype: of its real numbers, float32 or float64.
        show: values that are outputs, too.

    Raises:
        RefusalError: a part of it has no form in ONNX.
    """
    from diptych.convert.onnx.recurrent_writing import write_recurrent
    from diptych.convert.onnx.written_layers import WRITERS

    writer = FileWriter(graph, dtype)
    for node in graph.nodes:
        if isinstance(node.kind, kinds.Recurrent):
            write_recurrent(writer, node, node.kind)
        else:
            WRITERS[type(node.kind)](writer, node, node.kind)
    outputs = []
    for name, ref in (*graph.outputs.items(), *((f"shown_{number}", ref) for number, ref in enumerate(show))):
        writer.nodes.append(
            message.node("Identity", [writer.variables[ref]], outputs=[name], name=f"{name}_out", attributes={})
        )
        shown = writer.values[ref]
        outputs.append(message.value(name, _type(shown.dtype.kind, dtype), [None] * shown.ndim))
    inputs = []
    for given in graph.inputs:
        sizes: list[Any] = [f"{given.name}_axis_{n}" if size is None else size for n, size in enumerate(given.shape)]
        sizes.insert(given.batch_axis, "batch")
        kind = {"float": "f", "mask": "b", "padding": "b"}.get(given.kind, "i")
        inputs.append(message.value(given.name, _type(kind, dtype), sizes))
    return WrittenFile(model(writer.graph_of("model", inputs, outputs)), writer.lines)


def _type(kind: str, dtype: str) -> str:
    return {"b": "bool", "i": "int64", "u": "int64"}.get(kind, dtype)


def with_float32_attributes(graph: Graph) -> Graph:
    """The graph as ONNX can say it: an epsilon or a slope that is an attribute is a float32."""
    from dataclasses import replace

    def rounded(kind: Any) -> Any:
        if isinstance(kind, kinds.LayerNormalization | kinds.BatchNormalization):
            return replace(kind, epsilon=float(np.float32(kind.epsilon)))
        if isinstance(kind, kinds.Activation) and kind.function.parameter is not None:
            return replace(kind, function=replace(kind.function, parameter=float(np.float32(kind.function.parameter))))
        return kind

    return replace(graph, nodes=tuple(replace(node, kind=rounded(node.kind)) for node in graph.nodes))
