"""A frozen TensorFlow graph: a .pb file whose variables were made constants, as TensorFlow 1 programs were shipped."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.graph import Graph, Node, Value
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, WrittenBy
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Fixed, Span, floats, integers, message_of, signed, text
from diptych.convert.files.tensorflow_tensor import TYPES, read_shape, read_tensor
from diptych.errors import RefusalError

# Scopes that TF1's cells open, and the class that opens them.
CELLS = {
    "basic_rnn_cell": "BasicRNNCell",
    "basic_lstm_cell": "BasicLSTMCell",
    "lstm_cell": "LSTMCell",
    "lstm_fused_cell": "LSTMBlockFusedCell",
    "gru_cell": "GRUCell",
    "sru_cell": "SRUCell",
    "cudnn_compatible_gru_cell": "CudnnCompatibleGRUCell",
    "cudnn_compatible_lstm_cell": "CudnnCompatibleLSTMCell",
}
VERSIONS = {1: "producer", 2: "min_consumer"}
FUSED = ("LSTMBlockCell", "BlockLSTM", "BlockLSTMV2", "GRUBlockCell", "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3")
LSTM = ("BasicLSTMCell", "LSTMCell", "LSTMBlockCell", "LSTMBlockFusedCell")


def read_tensorflow_graph(path: Path) -> ModelFile:
    """The nodes and the constants of a frozen graph.

    Raises:
        RefusalError: it is damaged, or no graph.
    """
    with message_of(path) as message:
        graph = graph_of(path, message)
    if not graph.nodes:
        raise RefusalError(f"{path} has no nodes: it is no frozen graph, or was cut short")
    tensors = _weights(path, graph)
    layers = _layers(graph, tensors)
    notes = tuple(_notes(graph, layers))[: limits.NOTES]
    return ModelFile(
        path,
        "tensorflow-graph",
        written_by=WrittenBy("tensorflow"),
        tensors=tensors,
        layers=layers,
        architecture=graph,
        notes=notes,
    )


def graph_of(path: Path, message: Span) -> Graph:
    """A GraphDef's nodes.

    Raises:
        RefusalError: it is damaged.
    """
    nodes: dict[str, Node] = {}
    versions: dict[str, int] = {}
    for number, value in message.fields():
        if number == 1 and isinstance(value, Span):
            node = _node(path, value)
            if not node.name or not node.operator:
                raise RefusalError(f"{path} has a node without a name or an operator: it is no TensorFlow graph")
            if node.name in nodes:
                raise RefusalError(f"{path} has two nodes of the name {shown(node.name)}")
            nodes[node.name] = node
            limits.check_count(path, len(nodes), "nodes")
        elif number == 4 and isinstance(value, Span):
            versions = {VERSIONS[key]: signed(each) for key, each in value.fields() if key in VERSIONS}
    read = {target(name) for node in nodes.values() for name in node.inputs}
    inputs = tuple(
        Value(node.name, str(node.attributes.get("dtype", "")), node.attributes.get("shape"))
        for node in nodes.values()
        if node.operator == "Placeholder"
    )
    outputs = tuple(Value(name, "", None) for name in nodes if name not in read)
    return Graph("", tuple(nodes.values()), inputs=inputs, outputs=outputs, versions=versions)


def target(name: str) -> str:
    """The node that an input names: NODE of NODE:1 and of ^NODE."""
    return name.removeprefix("^").partition(":")[0]


def _node(path: Path, message: Span) -> Node:
    name = operator = ""
    inputs, attributes = [], {}
    for number, value in message.fields():
        if number == 1:
            name = text(value)
        elif number == 2:
            operator = text(value)
        elif number == 3:
            inputs.append(text(value))
        elif number == 5 and isinstance(value, Span):
            entry = dict(value.fields())
            key, content = text(entry.get(1, 0)), entry.get(2)
            attributes[key] = _attribute(path, name, content) if isinstance(content, Span) else None
    return Node(name, operator, inputs=tuple(inputs), outputs=(), attributes=attributes)


def _attribute(path: Path, node: str, message: Span) -> Any:
    """An AttrValue's content; a list of them is a list."""
    for number, value in message.fields():
        if number == 1 and isinstance(value, Span):
            found: list[Any] = []
            for kind, each in value.fields():
                if kind in (2, 3, 4):
                    found += [text(each)] if kind == 2 else integers(each) if kind == 3 else floats(each)
            return found
        if number == 2 and isinstance(value, Span):
            return value.bytes().decode("utf-8", "replace")
        if number == 3:
            return signed(value)
        if number == 4:
            return value.real() if isinstance(value, Fixed) else 0.0
        if number == 5:
            return bool(value)
        if number == 6:
            return TYPES.get(signed(value), f"type {signed(value)}")
        if number == 7 and isinstance(value, Span):
            return read_shape(value)
        if number == 8 and isinstance(value, Span):
            return read_tensor(path, node, value)
    return None


def _weights(path: Path, graph: Graph) -> dict[str, Tensor]:
    """The constants that were variables (NODE with NODE/read behind it), and other matrices of real numbers."""
    names = {node.name for node in graph.nodes}
    found = {}
    for node in graph.nodes:
        value = node.attributes.get("value")
        if node.operator != "Const" or not isinstance(value, Tensor) or not value.dtype.startswith(("float", "bfloat")):
            continue
        if f"{node.name}/read" in names or f"{node.name}/ReadVariableOp" in names or len(value.shape) >= 2:
            found[node.name] = value
    limits.check_count(path, len(found))
    return found


def _layers(graph: Graph, tensors: Mapping[str, Tensor]) -> tuple[Layer, ...]:
    """The scopes that have weights, each with its cell's class where its name or its operators tell."""
    scopes: dict[str, list[str]] = {}
    for name in tensors:
        scope = name.rpartition("/")[0]
        scope = re.sub(r"/(gates|candidate)$", "", scope)
        scopes.setdefault(scope, []).append(name)
    fused: dict[str, Node] = {}
    for node in graph.nodes:
        if node.operator in FUSED and (scope := _scope_of(node.name, scopes)):
            fused.setdefault(scope, node)
    found = []
    for scope, names in scopes.items():
        kind = CELLS.get(re.sub(r"_\d+$", "", scope.rpartition("/")[2]), "")
        node_of_scope = fused.get(scope)
        if node_of_scope is not None and kind != "LSTMBlockFusedCell":
            kind = node_of_scope.operator
        config = {key: value for key, value in node_of_scope.attributes.items() if key != "T"} if node_of_scope else {}
        found.append(Layer(scope, kind, tensors=tuple(names), config=config))
    return tuple(found)


def _scope_of(name: str, scopes: Container[str]) -> str:
    """Which of these scopes a node is in; within a while loop its name has "while" besides. "" if it is in none."""
    scope = re.sub(r"/while(_\d+)?/", "/", name)
    for _ in range(8):
        scope = scope.rpartition("/")[0]
        if scope in scopes:
            return scope
    return ""


def _notes(graph: Graph, layers: tuple[Layer, ...]) -> list[Note]:
    """What is to be known of the cells."""
    found = []
    scopes = {layer.name for layer in layers}
    added = {_scope_of(name, scopes): value for name, value in _forget_biases(graph).items()}
    clipped = {_scope_of(node.name, scopes) for node in graph.nodes if "clip_by_value" in node.name}
    for layer in layers:
        if layer.kind in LSTM:
            bias = layer.config.get("forget_bias", added.get(layer.name))
            amount = "is" if bias is None else f"of {bias:g} is"
            said = f"gates i, j, f, o on [x; h]; a forget bias {amount} added at run time and is not in the weights"
            found.append(Note(said, layer.name))
            if layer.config.get("use_peephole") is True or any("_diag" in name for name in layer.tensors):
                found.append(Note("has peepholes, which neither nn.LSTM nor Keras has", layer.name))
            clip = layer.config.get("cell_clip", -1.0)
            if isinstance(clip, float) and clip > 0:
                found.append(Note(f"the cell is clipped to +-{clip:g}", layer.name))
            elif layer.name in clipped:
                found.append(Note("numbers are clipped at every step", layer.name))
        elif layer.kind in ("GRUCell", "GRUBlockCell"):
            said = "gates r, u, then the candidate on [x; r h]: it resets before the product, nn.GRU cannot compute it"
            found.append(Note(said, layer.name))
        elif layer.kind == "SRUCell":
            found.append(Note("is a simple recurrent unit, which neither framework has", layer.name))
        elif layer.kind.startswith("Cudnn"):
            found.append(Note(f"{layer.kind}: its weights are one buffer whose layout is the driver's", layer.name))
    loops = sorted({node.operator for node in graph.nodes} & {"Enter", "While", "StatelessWhile", "LoopCond"})
    if loops:
        found.append(Note(f"steps through time in a loop of the graph ({', '.join(loops)})"))
    programs = sorted({node.operator for node in graph.nodes} & {"PyFunc", "EagerPyFunc", "PyFuncStateless"})
    if programs:
        found.append(Note(f"calls Python ({', '.join(programs)}): named, never run"))
    return found


def _forget_biases(graph: Graph) -> dict[str, float]:
    """The constants added to the third quarter of a split, by the name of the node that adds."""
    nodes = {node.name: node for node in graph.nodes}
    found = {}
    for node in graph.nodes:
        if node.operator not in ("Add", "AddV2") or not any(name.endswith("split:2") for name in node.inputs):
            continue
        for name in node.inputs:
            other = nodes.get(target(name))
            if other is not None and other.operator in ("Enter", "Identity") and other.inputs:
                other = nodes.get(target(other.inputs[0]))
            value = other.attributes.get("value") if other is not None else None
            if isinstance(value, Tensor) and value.shape == ():
                found[node.name] = float(value.read())
    return found
