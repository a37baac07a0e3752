"""An ONNX file as a graph: every operator by its reader; what is not converted is refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from diptych.convert import kinds
from diptych.convert.files.graph import Graph as FileGraph
from diptych.convert.files.model_file import ModelFile
from diptych.convert.files.printable import shown
from diptych.convert.graph import Array, Graph
from diptych.convert.onnx import arithmetic, folding, layers, moving, reshaping
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.recurrent import read_recurrent
from diptych.convert.onnx.values import Constant, Dim, Filled, Unread, Value
from diptych.errors import RefusalError

READERS: dict[str, Callable[[Reader], list[Value]]] = {
    **dict.fromkeys(("LSTM", "GRU", "RNN"), read_recurrent),
    "Constant": folding.constant_of, **dict.fromkeys(("ConstantOfShape", "Expand", "Tile"), folding.filled),
    "Shape": moving.shape, "Transpose": moving.transpose, "Squeeze": moving.squeeze, "Unsqueeze": moving.unsqueeze,
    "Gather": moving.gather, "Slice": moving.slices, "Concat": moving.concat, "Split": moving.split,
    "Reshape": reshaping.reshape, "Flatten": reshaping.reshape, "Cast": moving.cast,
    "ReverseSequence": moving.reverse_sequence, "Identity": moving.same_value, "Dropout": moving.same_value,
    "MatMul": arithmetic.matmul, "Gemm": arithmetic.gemm, "Pow": arithmetic.power,
    **dict.fromkeys(arithmetic.MODES, arithmetic.arithmetic),
    "LayerNormalization": layers.layer_normalization, "BatchNormalization": layers.batch_normalization,
    "Conv": layers.convolution, "MaxPool": layers.pooling, "AveragePool": layers.pooling,
    "GlobalMaxPool": layers.global_pooling, "GlobalAveragePool": layers.global_pooling,
    "ReduceSum": layers.reduction("sum"), "ReduceMean": layers.reduction("mean"), "ReduceMax": layers.reduction("max"),
    "Softmax": layers.softmax("softmax"), "LogSoftmax": layers.softmax("log_softmax"),
    "LeakyRelu": layers.with_slope("leaky_relu", 0.01), "Elu": layers.with_slope("elu", 1.0), "Selu": layers.selu,
    "HardSigmoid": layers.hard, "Clip": layers.clip,
    **{name: layers.activation(own) for name, own in (
        ("Relu", "relu"), ("Sigmoid", "sigmoid"), ("Tanh", "tanh"), ("Softsign", "softsign"),
        ("Softplus", "softplus"), ("Exp", "exponential"),
    )},
}  # fmt: skip
PROGRAMS = ("Loop", "Scan", "If")
MOVING = (
    "Cast",
    "Concat",
    "Expand",
    "Gather",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
)
TYPES = {"float32": "float", "float64": "float", "float16": "float", "int32": "int", "int64": "int", "bool": "bool"}


def read_onnx_graph(file: ModelFile) -> Graph:
    """The graph of an ONNX file.

    Raises:
        RefusalError: a part of it is not converted; the message names the node, its operator and the reason.
    """
    own = file.architecture
    assert isinstance(own, FileGraph)
    reader = Reader(own)
    for name, tensor in file.tensors.items():
        reader.values[name] = Constant(_widened(reader, name, tensor.read()), name)
    named: dict[str, Dim] = {}
    for value in own.inputs:
        if value.shape is None or value.dtype not in TYPES:
            raise RefusalError(f"{file.path}: the input {shown(value.name)} has no shape, or is of type {value.dtype}")
        dims = tuple(
            named.setdefault(size, Dim(None)) if isinstance(size, str) and size else
            Dim(size if isinstance(size, int) and size > 0 else None)
            for size in value.shape
        )  # fmt: skip
        reader.input(value.name, dims, TYPES[value.dtype])
    for node in own.nodes:
        reader.node = node
        if node.outputs and not all(name in reader.values for name in node.outputs if name):
            found = _read(reader)
            reader.values |= {name: value for name, value in zip(node.outputs, found) if name}
    outputs = {}
    for value in own.outputs:
        reader.node = reader.producers.get(value.name, reader.node)
        reached = reader.values.get(value.name)
        if isinstance(reached, Unread):
            raise reached.error
        outputs[value.name] = reader.as_tensor(reached).ref
    left = [
        name for name, tensor in file.tensors.items()
        if tensor.size > 1 and tensor.dtype.startswith(("float", "bfloat")) and name not in reader.used
    ]  # fmt: skip
    if left:
        raise RefusalError(f"{file.path}: {len(left)} weights are used by no node: {', '.join(map(shown, left[:5]))}")
    return _with_embeddings(reader.graph(outputs))


def _read(reader: Reader) -> list[Value]:
    """What a node gives; an error is kept until something needs it."""
    node = reader.node
    try:
        folded = folding.fold(reader)
        if folded is not None:
            return folded
        first = reader.values.get(node.inputs[0]) if node.inputs else None
        if isinstance(first, Filled) and node.operator in MOVING:
            return [first] * len(node.outputs)  # it stays the same number everywhere
        if node.operator not in READERS:
            program = "is a layer written as a program; convert the model it was made from"
            why = program if node.operator in PROGRAMS else "is not converted"
            raise RefusalError(f"{reader.where} {why}")
        return READERS[node.operator](reader)
    except RefusalError as error:
        return [Unread(error)] * len(node.outputs)


def _widened(reader: Reader, name: str, array: Array) -> Array:
    if array.dtype == np.float16:
        reader.uncertified.append("float16 weights are widened to float32: the file itself computes in half precision")
        return array.astype(np.float32)
    return array


def _with_embeddings(graph: Graph) -> Graph:
    """Whole numbers that choose rows are ids; other whole numbers have no meaning in a graph."""
    for given in graph.inputs:
        if given.kind == "ids" and given.limit is None and any(
            isinstance(node.kind, kinds.Recurrent) and ref.node == given.name
            for node in graph.nodes for ref in node.inputs.values()
        ):  # fmt: skip
            raise RefusalError(f"the input {given.name!r} holds whole numbers that no embedding takes")
    return replace(graph, inputs=graph.inputs)
