"""A graph written as an ONNX file: native LSTM, GRU and RNN nodes, lengths for masks, never a Loop.

Opset 17 and IR version 8: the oldest that have LayerNormalization, so that most runtimes take the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.graph import Graph, Node, Ref
from diptych.convert.onnx import message
from diptych.convert.onnx.message import Message
from diptych.convert.trial import inputs_that_run

Values = npt.NDArray[Any]
OPSET, IR_VERSION = 17, 8
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
        for chunk in self.model.chunks:
            file.write(chunk)


class FileWriter:
    """Collects the nodes of a file while a graph is walked."""

    def __init__(self, graph: Graph, dtype: str) -> None:
        self.graph, self.dtype = graph, np.dtype(dtype)
        self.nodes: list[Message] = []
        self.initializers: dict[str, Message] = {}
        self.variables: dict[Ref, str] = {}
        self.lines: dict[str, str] = {}
        self.used = graph.used()
        self.made: dict[object, Any] = {}
        self.values = inputs_that_run(graph, 0)[1]
        self._taken: set[str] = {given.name for given in graph.inputs} | set(graph.outputs)
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

    def name(self, wanted: str) -> str:
        """A tensor's name that is not taken."""
        found = wanted
        number = 1
        while found in self._taken:
            found, number = f"{wanted}_{number}", number + 1
        self._taken.add(found)
        return found

    def constant(self, array: Any, dtype: Any = np.int64) -> str:
        """A small array by its numbers, once for the same ones."""
        found = np.asarray(array, dtype)
        key = found.tobytes(), found.shape, found.dtype.str
        if key not in self.made:
            self.made[key] = self.weight(self.name("constant"), found)
        return str(self.made[key])

    def real(self, array: Any) -> str:
        """The same of real numbers in the file's precision."""
        return self.constant(array, self.dtype)

    def weight(self, name: str, array: Values) -> str:
        """An initializer, once for the same name; real numbers come into the file's precision."""
        if name not in self.initializers:
            value = array.astype(self.dtype, copy=False) if array.dtype.kind == "f" else array
            self.initializers[name] = message.tensor(name, value)
            self._taken.add(name)
        return name

    def weight_of(self, node: Node, name: str, array: Values | None = None) -> str:
        """A weight of a node, or of the one whose weights it shares."""
        own = self.graph.weights_of(node)[name] if array is None else array
        return self.weight(f"{node.shares or node.name}.{name}", own)

    def op(self, operator: str, inputs: Sequence[str], wanted: str, **attributes: Any) -> str:
        """A node of one output; gives its tensor."""
        return self.ops(operator, inputs, [wanted], **attributes)[0]

    def ops(self, operator: str, inputs: Sequence[str], wanted: Sequence[str], **attributes: Any) -> list[str]:
        """A node of several outputs; those without a name are left out."""
        outputs = [self.name(one) if one else "" for one in wanted]
        self.nodes.append(message.node(operator, inputs, outputs, f"{next(filter(None, outputs))}_node", attributes))
        return outputs

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
    from diptych import __version__
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
        writer.nodes.append(message.node("Identity", [writer.variables[ref]], [name], f"{name}_out", {}))
        shown = writer.values[ref]
        outputs.append(message.value(name, _type(shown.dtype.kind, dtype), [None] * shown.ndim))
    body = Message()
    for one in writer.nodes:
        body.inner(1, one)
    body.data(2, "model")
    for one in writer.initializers.values():
        body.inner(5, one)
    for given in graph.inputs:
        sizes: list[Any] = [f"{given.name}_axis_{n}" if size is None else size for n, size in enumerate(given.shape)]
        sizes.insert(given.batch_axis, "batch")
        kind = {"float": "f", "mask": "b"}.get(given.kind, "i")
        body.inner(11, message.value(given.name, _type(kind, dtype), sizes))
    for one in outputs:
        body.inner(12, one)
    model = Message().integer(1, IR_VERSION).data(2, "diptych").data(3, __version__)
    model.inner(7, body).inner(8, Message().data(1, "").integer(2, OPSET))
    return WrittenFile(model, writer.lines)


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
