"""An .onnx file: a graph of operators and its weights, read from its protocol buffers; onnx itself is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.graph import Graph, Node, Value
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, WrittenBy
from diptych.convert.files.onnx_tensor import TYPES, read_tensor
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Fixed, Span, floats, integers, message_of, signed, text
from diptych.errors import RefusalError

# With the activations that each has if nothing is said; in two directions twice.
RECURRENT = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
INDEXES = ("int64", "int32", "bool", "string")  # of shapes, slices and axes, not of weights
PROGRAMS = ("Loop", "Scan", "If")


def read_onnx(path: Path) -> ModelFile:
    """The graph and the weights of an ONNX model.

    Raises:
        RefusalError: it is damaged, or keeps weights outside its folder.
    """
    producer, version, graph = "", None, None
    versions: dict[str, int] = {}
    with message_of(path) as message:
        for number, value in message.fields():
            if number == 2:
                producer = text(value)
            elif number == 3:
                version = text(value) or None
            elif number == 7 and isinstance(value, Span):
                graph = value
            elif number == 8 and isinstance(value, Span):
                entry = dict(value.fields())
                versions[text(entry.get(1, 0)) or "ai.onnx"] = signed(entry.get(2, 0))
        if graph is None:
            raise RefusalError(f"{path} has no graph: it is no ONNX model, or was cut short")
        architecture, tensors = _graph(path, graph, versions)
    layers = tuple(_layer(node, tensors) for node in architecture.nodes if _matters(node, tensors))
    return ModelFile(
        path,
        "onnx",
        written_by=WrittenBy(producer or "onnx", version),
        tensors=tensors,
        layers=layers,
        architecture=architecture,
        notes=tuple(_notes(architecture))[: limits.NOTES],
    )


def _graph(path: Path, message: Span, versions: Mapping[str, int]) -> tuple[Graph, dict[str, Tensor]]:
    """A graph and its own weights."""
    name, nodes = "", []
    tensors: dict[str, Tensor] = {}
    inputs, outputs = [], []
    for number, value in message.fields():
        if not isinstance(value, Span):
            continue
        if number == 1:
            nodes.append(_node(path, value))
        elif number == 2:
            name = value.text()
        elif number == 5:
            tensor = read_tensor(path, value)
            if tensor.name in tensors:
                raise RefusalError(f"{path} has two weights of the name {shown(tensor.name)}")
            tensors[tensor.name] = tensor
        elif number == 11:
            inputs.append(_value(value))
        elif number == 12:
            outputs.append(_value(value))
        elif number == 15:
            raise RefusalError(f"{path} has sparse weights, which are not read: make them dense")
        limits.check_count(path, len(tensors))
        limits.check_count(path, len(nodes), "nodes")
    given = tuple(each for each in inputs if each.name not in tensors)
    return Graph(name, tuple(nodes), inputs=given, outputs=tuple(outputs), versions=versions), tensors


def _node(path: Path, message: Span) -> Node:
    inputs, outputs, attributes = [], [], {}
    name = operator = domain = ""
    for number, value in message.fields():
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 3:
            name = text(value)
        elif number == 4:
            operator = text(value)
        elif number == 5 and isinstance(value, Span):
            key, content = _attribute(path, value)
            attributes[key] = content
        elif number == 7:
            domain = text(value)
    kind = operator if domain in ("", "ai.onnx") else f"{domain}.{operator}"
    return Node(name, kind, inputs=tuple(inputs), outputs=tuple(outputs), attributes=attributes)


def _attribute(path: Path, message: Span) -> tuple[str, Any]:
    """An attribute's name and its value; a list where the schema repeats the field."""
    name = ""
    found: Any = None
    for number, value in message.fields():
        if number == 1:
            name = text(value)
        elif number == 2:
            found = value.real() if isinstance(value, Fixed) else 0.0
        elif number == 3:
            found = signed(value)
        elif number == 4:
            found = text(value)
        elif number == 5 and isinstance(value, Span):
            found = read_tensor(path, value)
        elif number == 6 and isinstance(value, Span):
            inner, weights = _graph(path, value, {})
            constants = (
                Node(key, "Constant", inputs=(), outputs=(key,), attributes={"value": each})
                for key, each in weights.items()
            )
            found = Graph(inner.name, (*constants, *inner.nodes), inputs=inner.inputs, outputs=inner.outputs)
        elif number in (7, 8, 9):
            items = floats(value) if number == 7 else integers(value) if number == 8 else [text(value)]
            found = [*(found if isinstance(found, list) else []), *items]
    return name, found


def _value(message: Span) -> Value:
    """An input or an output, with what is said of its type."""
    name, dtype = "", ""
    shape: tuple[int | str | None, ...] | None = None
    for number, value in message.fields():
        if number == 1:
            name = text(value)
        for inner, kind in value.fields() if number == 2 and isinstance(value, Span) else ():
            for part, what in kind.fields() if inner == 1 and isinstance(kind, Span) else ():
                if part == 1:
                    dtype = TYPES.get(signed(what), "")
                elif part == 2 and isinstance(what, Span):
                    shape = tuple(_dimension(each) for each in what.fields())
    return Value(name, dtype, shape)


def _dimension(entry: tuple[int, Any]) -> int | str | None:
    size: int | str | None = None
    for number, value in entry[1].fields() if isinstance(entry[1], Span) else ():
        size = signed(value) if number == 1 else text(value) if number == 2 else size
    return size


def _matters(node: Node, tensors: Mapping[str, Tensor]) -> bool:
    own = any(tensors[name].dtype not in INDEXES and tensors[name].size > 1 for name in node.inputs if name in tensors)
    return node.operator in (*RECURRENT, *PROGRAMS) or own


def _layer(node: Node, tensors: Mapping[str, Tensor]) -> Layer:
    weights = tuple(name for name in node.inputs if name in tensors)
    name = node.name or (node.outputs[0] if node.outputs else node.operator)
    simple = {key: value for key, value in node.attributes.items() if not isinstance(value, Tensor | Graph)}
    return Layer(name, node.operator, tensors=weights, config=simple)


def _notes(graph: Graph) -> list[Note]:
    """What is to be known of the operators."""
    found = []
    for node in graph.nodes:
        name = node.name or ", ".join(node.outputs[:1])
        if node.operator == "GRU" and not node.attributes.get("linear_before_reset", 0):
            found.append(Note("linear_before_reset is 0: it resets before the product, nn.GRU cannot compute it", name))
        if node.operator in RECURRENT:
            if len(node.inputs) > 4 and node.inputs[4]:
                found.append(Note("sequence_lens: padding is skipped, at the end only", name))
            default = RECURRENT[node.operator] * (2 if node.attributes.get("direction") == "bidirectional" else 1)
            for key, usual in (("clip", None), ("input_forget", 0), ("layout", 0), ("activations", default)):
                if node.attributes.get(key, usual) != usual:
                    found.append(Note(f"{key} is {shown(node.attributes[key])}", name))
            if len(node.inputs) > 7 and node.inputs[7]:
                found.append(Note("has peepholes, which neither nn.LSTM nor Keras has", name))
        elif node.operator in PROGRAMS:
            found.append(Note(f"a {node.operator}: a layer written as a program, as Keras's exporters do", name))
        elif "." in node.operator:
            found.append(Note(f"{shown(node.operator)} is no operator of ONNX itself", name))
    return found
