"""A graph of operations: what ONNX files and TensorFlow's frozen graphs hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Value:
    """An input or an output of a graph.

    Attributes:
        name: as the nodes name it.
        dtype: of its numbers; "" where the file does not say.
        shape: each size a number, a name (ONNX's dim_param), or None where it is open; None if even the rank is open.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        name: the node's own; in ONNX it may be empty.
        operator: ONNX's `op_type`, with its domain before it where it has one; TensorFlow's `op`.
        inputs: names of tensors, "" where an optional one is left out. TensorFlow's are NODE or NODE:INDEX, and ^NODE
            for a control dependency.
        outputs: in ONNX the names of what comes out; empty in TensorFlow, where NODE:INDEX names them.
        attributes: numbers, strings, lists of them, a `Tensor`, or a `Graph` (the body of a Loop).
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Operations in the order of the file.

    Attributes:
        name: the file's name for it.
        nodes: the operations.
        inputs: what must be given; the weights are not among them.
        outputs: what comes out; of a frozen TensorFlow graph, the nodes that nobody reads.
        versions: the versions of the operators: ONNX's opset by domain, TensorFlow's producer.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    versions: Mapping[str, int] = field(default_factory=dict)
