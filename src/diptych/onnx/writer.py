"""The nodes and weights of an ONNX graph, collected one by one, and the file that they make.

Opset 17 and IR version 8: the oldest that have LayerNormalization, so that most runtimes take the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.onnx import message
from diptych.onnx.message import Message

OPSET, IR_VERSION = 17, 8


class GraphWriter:
    """Collects the nodes and initializers of one graph; every tensor in it has a name of its own.

    The body of a loop is a graph by itself: its nodes see the tensors around it, and its weights stand outside, once.

    Attributes:
        dtype: of its real numbers, float32 or float64.
        nodes: in the order in which they compute.
        initializers: the weights and constants, by name.
    """

    def __init__(self, dtype: str = "float32", around: GraphWriter | None = None) -> None:
        """Begin without a node; `around` writes the graph that a body is in."""
        self.dtype = np.dtype(dtype)
        self.nodes: list[Message] = []
        self.initializers: dict[str, Message] = {} if around is None else around.initializers
        self.made: dict[object, Any] = {} if around is None else around.made
        self._taken: set[str] = set() if around is None else around._taken
        self._is_body = around is not None

    def name(self, wanted: str) -> str:
        """A tensor's name that is not taken."""
        found, number = wanted, 1
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

    def weight(self, name: str, array: npt.NDArray[Any]) -> str:
        """An initializer, once for the same name; real numbers come into the file's precision."""
        if name not in self.initializers:
            dtype = self.dtype if array.dtype.kind == "f" else array.dtype
            self.initializers[name] = message.tensor(name, array, dtype)
            self._taken.add(name)
        return name

    def op(self, operator: str, inputs: Sequence[str], wanted: str, **attributes: Any) -> str:
        """A node of one output; gives its tensor."""
        return self.ops(operator, inputs, [wanted], **attributes)[0]

    def ops(self, operator: str, inputs: Sequence[str], wanted: Sequence[str], **attributes: Any) -> list[str]:
        """A node of several outputs; those without a name are left out."""
        outputs = [self.name(one) if one else "" for one in wanted]
        self.nodes.append(
            message.node(
                operator, inputs, outputs=outputs, name=f"{next(filter(None, outputs))}_node", attributes=attributes
            )
        )
        return outputs

    def graph_of(self, name: str, inputs: Sequence[Message], outputs: Sequence[Message]) -> Message:
        """The GraphProto of what was collected, with these ValueInfoProtos."""
        body = Message()
        for one in self.nodes:
            body.inner(1, one)
        body.data(2, name)
        weights = () if self._is_body else self.initializers.values()
        for number, several in ((5, weights), (11, inputs), (12, outputs)):
            for one in several:
                body.inner(number, one)
        return body


def model(graph: Message) -> Message:
    """The ModelProto of a graph."""
    from diptych import __version__

    found = Message().integer(1, IR_VERSION).data(2, "diptych").data(3, __version__)
    return found.inner(7, graph).inner(8, Message().data(1, "").integer(2, OPSET))
