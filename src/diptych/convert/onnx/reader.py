"""Collects a graph while the nodes of an ONNX file are read in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.files.graph import Graph as FileGraph
from diptych.convert.files.graph import Node as FileNode
from diptych.convert.files.printable import shown
from diptych.convert.graph import Array, Graph, Input, Node, Ref, unique_name
from diptych.convert.onnx.values import Constant, Dim, Dims, Stacked, Tensor, Unread, Value
from diptych.errors import RefusalError


class Reader:
    """What is known of a file's tensors so far, and the nodes that were made of them."""

    def __init__(self, file: FileGraph) -> None:
        self.values: dict[str, Value] = {}
        self.producers = {name: node for node in file.nodes for name in node.outputs}
        self.uses = Counter([*(name for node in file.nodes for name in node.inputs), *(v.name for v in file.outputs)])
        self.opset = file.versions.get("ai.onnx", 0)
        self.node = FileNode("", "", inputs=(), outputs=())
        self.nodes: dict[str, Node] = {}
        self.inputs: dict[str, tuple[Input, Dims]] = {}
        self.assumptions: list[str] = []
        self.uncertified: list[str] = []
        self.used: set[str] = set()
        self.masks: dict[object, Ref] = {}
        self._owners: dict[object, str] = {}
        self._taken: set[str] = set()
        self._made: dict[object, Tensor] = {}

    @property
    def where(self) -> str:
        """The node that is being read, for messages."""
        name = self.node.name or (self.node.outputs[0] if self.node.outputs else "")
        return f"{shown(name)} ({shown(self.node.operator)})"

    def refusal(self, why: str) -> RefusalError:
        """An error that names the node."""
        return RefusalError(f"{self.where}: {why}")

    def given(self, place: int) -> Value | None:
        """An input of the node that is being read; None where it is left out.

        Raises:
            RefusalError: it comes from what is not converted.
        """
        name = self.node.inputs[place] if place < len(self.node.inputs) else ""
        if not name:
            return None
        if name not in self.values:
            raise self.refusal(f"its input {shown(name)} is made by no node before it")
        value = self.values[name]
        if isinstance(value, Unread):
            raise value.error
        if isinstance(value, Constant):
            self.used.add(value.name)
        return value

    def tensor(self, place: int) -> Tensor:
        """An input that must be a value of the graph."""
        return self.as_tensor(self.given(place), place)

    def as_tensor(self, value: Value | None, place: int = 0) -> Tensor:
        """A value of the graph, made of a stack where it is one."""
        if isinstance(value, Tensor):
            return value
        if isinstance(value, Stacked):
            inputs = {f"x{number}": part.ref for number, part in enumerate(value.parts)}
            return Tensor(self.add(kinds.Stack(value.axis), inputs), value.dims, value.parts[0].dtype)
        raise self.refusal(f"its input {place} is a constant, where a value that depends on the inputs was expected")

    def constant(self, place: int, what: str) -> Array | None:
        """An input that must be known; None where it is left out."""
        value = self.given(place)
        if value is None or isinstance(value, Constant):
            return None if value is None else value.array
        raise self.refusal(f"its {what} (input {place}) is computed from the inputs, a constant was expected")

    def attributes(self, *names: str, **defaults: Any) -> dict[str, Any]:
        """The node's attributes, with the defaults of those that it does not have.

        Raises:
            RefusalError: it has one that is not known.
        """
        for name in self.node.attributes:
            if name not in names and name not in defaults:
                raise self.refusal(f"the attribute {shown(name)} = {shown(self.node.attributes[name])} is not known")
        return defaults | dict(self.node.attributes)

    def axes(self, place: int = 1) -> list[int] | None:
        """The `axes` of a node: an attribute up to opset 12 or 17, an input since; None where there are none."""
        found = self.node.attributes.get("axes")
        if found is None and len(self.node.inputs) > place:
            array = self.constant(place, "axes")
            found = None if array is None else array.tolist()
        return None if found is None else [int(axis) for axis in np.atleast_1d(found)]

    def add(
        self, kind: kinds.Kind, inputs: Mapping[str, Ref], weights: Mapping[str, Array] | None = None,
        owner: object = None, wanted: str = "",
    ) -> Ref:  # fmt: skip
        """A node; gives its first output. One with the weights of another shares them.

        Args:
            kind: what it does.
            inputs: by name.
            weights: its weights.
            owner: the names of the weights in the file.
            wanted: its name; by default after the node that is being read.
        """
        name = unique_name(wanted or self.short_name(), self._taken)
        self._taken.add(name)
        shares = self._owners.setdefault((kind, owner), name) if weights and owner else name
        own = dict(weights or {}) if shares == name else {}
        self.nodes[name] = Node(
            name, kind, dict(inputs), weights=own, origin=self.where, shares="" if shares == name else shares
        )
        return Ref(name, "sequence" if isinstance(kind, kinds.Recurrent) else "output")

    def is_shared(self, name: str) -> bool:
        """Whether another node uses a node's weights."""
        return any(node.shares == name for node in self.nodes.values())

    def owned(self, name: str, by: str) -> None:
        """A node has got one more weight: another node shares all of them or none."""
        for key in [key for key, owner in self._owners.items() if owner == name]:
            del self._owners[key]
            self._owners[key, by] = name

    def short_name(self) -> str:
        """After the node: of "/encoder/LSTM" the part that its author chose."""
        parts = [part for part in (self.node.name or self.node.outputs[0]).split("/") if part]
        if len(parts) > 1 and parts[-1].startswith(self.node.operator):
            parts = parts[:-1]
        return "_".join(parts) or self.node.operator

    def apply(self, kind: kinds.Kind, x: Tensor, dims: Sequence[Dim | int] | None = None, dtype: str = "") -> Tensor:
        """A node of one input, made once for the same input."""
        key = kind, x.ref
        if key not in self._made:
            ref = self.add(kind, {"x": x.ref}, wanted=f"{self.short_name()}_{type(kind).__name__.lower()}")
            self._made[key] = Tensor(ref, tuple(x.dims if dims is None else dims), dtype or x.dtype)
        return self._made[key]

    def transposed(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """The axes in another order; turning back what was turned gives the original."""
        axes = tuple(axes)
        dims = tuple(x.dims[axis] for axis in axes)
        before = self.nodes.get(x.ref.node)
        origin = x.ref
        if before is not None and isinstance(before.kind, kinds.Transpose):
            axes, origin = tuple(before.kind.axes[axis] for axis in axes), before.inputs["x"]
        if axes == tuple(range(len(axes))):
            return Tensor(origin, dims, x.dtype)
        own = tuple(dims[axes.index(axis)] for axis in range(len(axes)))
        return self.apply(kinds.Transpose(axes), Tensor(origin, own, x.dtype), dims)

    def tell_input(self, x: Tensor, kind: Any, limit: int | None = None) -> None:
        """What an input holds, as a layer that takes it tells."""
        if x.ref.node in self.inputs:
            given, dims = self.inputs[x.ref.node]
            limits = [one for one in (given.limit, limit) if one]
            self.inputs[x.ref.node] = replace(given, kind=kind, limit=min(limits, default=None)), dims
        elif x.ref.node in self.nodes and self.nodes[x.ref.node].kind and "x" in self.nodes[x.ref.node].inputs:
            self.tell_input(Tensor(self.nodes[x.ref.node].inputs["x"], x.dims), kind, limit)

    def input(self, name: str, dims: Dims, dtype: str) -> None:
        """One more input of the model."""
        own = unique_name(name, self._taken)
        self._taken.add(own)
        kind: Any = {"float": "float", "bool": "mask"}.get(dtype, "ids")
        self.inputs[own] = Input(own, (), kind), dims
        self.values[name] = Tensor(Ref(own), dims, dtype)

    def graph(self, outputs: Mapping[str, Ref]) -> Graph:
        """The whole graph."""
        inputs = []
        for given, dims in self.inputs.values():
            axis = Tensor(Ref(given.name), dims).batch_axis
            batch = dims[axis]
            if isinstance(batch, Dim) and batch.size is not None:
                self.assumptions.append(f"the batch, which the file fixes at {batch.size}, may be of any size")
            shape = tuple(dim.size if isinstance(dim, Dim) else dim for place, dim in enumerate(dims) if place != axis)
            inputs.append(replace(given, shape=shape, batch_axis=axis))
        return Graph(
            tuple(inputs), tuple(self.nodes.values()), outputs, assumptions=tuple(dict.fromkeys(self.assumptions)),
            uncertified=tuple(dict.fromkeys(self.uncertified)),
        ).pruned()  # fmt: skip
