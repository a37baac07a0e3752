"""What stands for the values of a traced module while its graph is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.graph import Array, Graph, Input, Node, Ref, unique_name
from diptych.errors import RefusalError


@dataclass(frozen=True)
class Value:
    """A tensor."""

    ref: Ref


@dataclass(frozen=True)
class Constant:
    """A number, a list of numbers, None."""

    value: Any


@dataclass(frozen=True)
class Size:
    """How long an axis of a tensor is."""

    ref: Ref
    axis: int


@dataclass(frozen=True)
class Shape:
    """All sizes of a tensor."""

    ref: Ref


@dataclass(frozen=True)
class Zeros:
    """A tensor of zeros, whatever its shape: an initial state."""


class Stacked:
    """Tensors stacked along a new first axis, as states are; a tensor is made of them when one is asked for."""

    def __init__(self, builder: Builder, name: str, refs: list[Ref]) -> None:
        self.refs, self._builder, self._name = refs, builder, name

    def as_value(self) -> Value:
        """The tensor."""
        inputs = {f"x{number}": ref for number, ref in enumerate(self.refs)}
        return self._builder.add(self._name, kinds.Stack(0), inputs)


@dataclass(frozen=True)
class Packed:
    """A packed sequence: the padded one (B, T, ...) and the mask of its real steps."""

    ref: Ref
    mask: Ref
    lengths: Ref


class Builder:
    """Collects a graph while the lines of a traced module are read."""

    def __init__(self, modules: Mapping[str, Any], checks: bool = True) -> None:
        """For modules by their paths; whether examples of inputs are of the sizes that they take is checked, or not."""
        self.modules = modules
        self.checks = checks
        self.symbols: dict[str, Any] = {}
        self.where = ""
        self.nodes: list[Node] = []
        self.inputs: list[Input] = []
        self.assumptions: list[str] = []
        self.uncertified: list[str] = []
        self.origins: dict[str, Ref] = {}
        self._owners: dict[str, str] = {}
        self._taken: set[str] = set()
        self.examples: dict[str, tuple[int, ...] | None] = {}
        self.states: set[str] = set()

    def input(self, name: str, shape: tuple[int, ...] | None, kind: Any) -> Value:
        """One more input, of this kind of `graph.Input`; of an unknown shape the layers that take it tell."""
        name = unique_name(name, self._taken)
        self._taken.add(name)
        known: tuple[int | None, ...] = () if shape is None else tuple(shape[1:])
        self.inputs.append(Input(name, known, kind))
        self.examples[name] = shape
        return Value(Ref(name))

    def known(self, argument: Any) -> Any:
        """What an argument of a line stands for."""
        if isinstance(argument, list | tuple):
            return type(argument)(self.known(one) for one in argument)
        if isinstance(argument, slice):
            return slice(self.known(argument.start), self.known(argument.stop), self.known(argument.step))
        if hasattr(argument, "op") and hasattr(argument, "target"):
            return self.symbols[argument.name]
        return argument

    def tensor(self, value: Any) -> Ref:
        """The tensor that an argument must be."""
        if isinstance(value, Value):
            return value.ref
        if isinstance(value, Stacked):
            return value.as_value().ref
        raise RefusalError(f"{self.where}: a tensor was expected, got {type(value).__name__} {value!r}")

    def number(self, value: Any) -> Any:
        """The number, or the list of them, that an argument must be."""
        value = value.value if isinstance(value, Constant) else value
        if isinstance(value, int | float | bool | str | None):
            return value
        if isinstance(value, list | tuple):
            return [self.number(one) for one in value]
        raise RefusalError(f"{self.where}: {type(value).__name__} where a number was expected cannot be converted")

    def add(
        self, wanted: str, kind: kinds.Kind, inputs: Mapping[str, Ref], weights: Mapping[str, Array] | None = None,
        owner: str = "", output: str = "output",
    ) -> Value:  # fmt: skip
        """A node; gives one of its outputs. A layer called again shares its weights.

        Args:
            wanted: its name, where it is not taken.
            kind: what it does.
            inputs: by name.
            weights: its weights.
            owner: the layer's path; part of it for a layer that becomes several nodes.
            output: which output to give.
        """
        if isinstance(kind, kinds.Transpose) and (undone := self._undone(kind, inputs["x"])):
            return Value(undone)
        name = unique_name(wanted, self._taken)
        self._taken.add(name)
        shares = self._owners.setdefault(owner, name) if weights and owner else name
        own = {key: np.array(value) for key, value in (weights or {}).items()} if shares == name else {}
        self.nodes.append(
            Node(
                name,
                kind,
                dict(inputs),
                weights=own,
                origin=owner or self.where,
                shares=shares if shares != name else "",
            )
        )
        return Value(Ref(name, output))

    def _undone(self, kind: kinds.Transpose, ref: Ref) -> Ref | None:
        """What a transposition of a transposition gives, where that is the original."""
        node = self.made_by(ref)
        if node and isinstance(node.kind, kinds.Transpose) and len(node.kind.axes) == len(kind.axes):
            together = [node.kind.axes[axis] for axis in kind.axes]
            if together == sorted(together):
                return node.inputs["x"]
        return None

    def made_by(self, ref: Ref) -> Node | None:
        """The node that gives a tensor; None for an input."""
        return next((node for node in self.nodes if node.name == ref.node), None)

    def tell_input(
        self, ref: Ref, kind: str, *, width: int | None = None, limit: int | None = None, time: bool = False,
        time_first: bool = False,
    ) -> None:  # fmt: skip
        """What a layer takes says what an input is, through layers that leave shapes as they are.

        Args:
            ref: what the layer takes.
            kind: of `graph.Input`.
            width: the size of the last axis, which ids and lengths do not have.
            limit: how many ids there are.
            time: whether there is a time axis.
            time_first: whether it is the first one, the second the batch.

        Raises:
            RefusalError: the example that was given has another width, or no batch.
        """
        node = self.made_by(ref)
        if node is not None:
            following = node.inputs.get("x", node.inputs.get("x0"))
            if isinstance(node.kind, kinds.Transpose) and node.kind.axes[:2] == (1, 0) and following:
                turned = not time_first
                self.tell_input(following, kind, width=width, limit=limit, time=time, time_first=turned)
            elif isinstance(node.kind, kinds.Dropout | kinds.Embedding | kinds.Dense | kinds.Activation) and following:
                self.tell_input(following, "", time=time, time_first=time_first)
            return
        for place, given in enumerate(self.inputs):
            if given.name != ref.node:
                continue
            shape: tuple[int | None, ...] = given.shape
            self._check_example(given.name, width, time)
            if (
                self.examples[given.name] is None
                and (width is not None or kind in ("ids", "lengths", "padding"))
                and not shape
            ):
                shape = (*([None] if time else []), *([width] if width is not None else []))
            elif time and shape:
                whole: tuple[int | None, ...] = self.examples[given.name] or (0, *shape)
                # Whoever gives an example of one step means one step, of a decoder.
                shape = (1 if whole[0 if time_first else 1] == 1 else None, *whole[2:])
            first = 1 if time_first and time else given.batch_axis
            said: Any = kind or given.kind
            self.inputs[place] = replace(given, shape=shape, kind=said, limit=limit or given.limit, batch_axis=first)

    def _check_example(self, name: str, width: int | None, time: bool) -> None:
        """Refuse an example that the layer which takes it could not: another width, or no batch."""
        whole = self.examples[name]
        if (
            not self.checks
            or whole is None
            or width is None
            or (whole and whole[-1] == width and (len(whole) == 3 or not time))
        ):
            return
        wanted = (2, 7, width) if time and len(whole) != 3 else (*(whole[:-1] or (2,)), width)
        self._refuse_example(name, f"{self.where} takes {width} numbers at each place, the last of its sizes", wanted)

    def _refuse_example(self, name: str, why: str, wanted: tuple[int, ...]) -> None:
        raise RefusalError(
            f"the example of the input {name!r} has the shape {self.examples[name]}, but {why}: give --input "
            f"{','.join(map(str, wanted))}, in Python an example of that shape; a length and the batch may be any"
        )

    def tell_state(self, ref: Ref, count: int, size: int) -> None:
        """What a layer takes as its states (count, B, H) says what an input is.

        Raises:
            RefusalError: the example that was given has other sizes.
        """
        for place, given in enumerate(self.inputs):
            if given.name != ref.node:
                continue
            whole = self.examples[given.name]
            if whole is not None and (len(whole) != 3 or (whole[0], whole[2]) != (count, size)):
                why = f"a state of {self.where} has {count} (layers and directions), the batch and {size} numbers"
                self._refuse_example(given.name, why, (count, 2, size))
            self.inputs[place] = replace(given, shape=(count, size), batch_axis=1)
            self.states.add(given.name)

    def _tell_batch_axes(self) -> None:
        """An input that no layer tells of has its batch where the example has as many rows as those of the others."""
        sizes = {given[one.batch_axis] for one in self.inputs if (given := self.examples[one.name]) and one.batch_axis}
        for place, one in enumerate(self.inputs):
            given = self.examples[one.name]
            if len(sizes) == 1 and given and len(given) == 3 and not one.batch_axis and one.shape == given[1:]:
                (batch,) = sizes
                if given[1] == batch != given[0]:
                    self.inputs[place] = replace(one, shape=(None, *given[2:]), batch_axis=1)
                    self.assumptions.append(f"{one.name} has time before the batch, as the sizes of its example say")

    def graph(self, outputs: Mapping[str, Value]) -> Graph:
        """The whole graph."""
        self._tell_batch_axes()
        for given in self.inputs:
            if given.kind == "float" and not given.shape and self.examples[given.name] is None:
                raise RefusalError(
                    f"the shape of the input {given.name!r} is not known from the layers that take it; "
                    f"give examples of the inputs"
                )
        refs = {name: value.ref for name, value in outputs.items()}
        return Graph(
            tuple(self.inputs), tuple(self.nodes), refs, assumptions=tuple(dict.fromkeys(self.assumptions)),
            uncertified=tuple(dict.fromkeys(self.uncertified)), origins=self.origins,
        ).pruned()  # fmt: skip
