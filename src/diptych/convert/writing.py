"""What a graph's text has in common in both frameworks: its variables, and the lines that Python's operators write."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from diptych.convert import kinds
from diptych.convert.graph import Graph, Node, Ref, unique_name

Write = Callable[[Any, Node, Any], Any]
"""What writes a node of one kind: of a writer, the node and its kind."""


class Writer:
    """Collects the lines of a program while a graph is walked.

    Attributes:
        lines: those that compute, in the order of the graph's nodes.
        variables: the local variables that hold each value of the graph.
        used: the values that something takes.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.variables: dict[Ref, str] = {}
        self.used = graph.used()
        self._taken: set[str] = set()

    def variable(self, wanted: str) -> str:
        """A variable's name that is not taken."""
        name = unique_name(wanted, self._taken)
        self._taken.add(name)
        return name

    def given(self, node: Node, name: str) -> str:
        """The variable of an input."""
        return self.variables[node.inputs[name]]

    def numbered(self, node: Node) -> list[str]:
        """The variables of x0, x1 and so on."""
        return [self.given(node, f"x{number}") for number in range(len(node.inputs))]

    def assign(self, node: Node, expression: str, output: str = "output") -> str:
        """A line that makes one output."""
        name = self.variable(node.name if output in ("output", "sequence") else f"{node.name}_{output}")
        self.lines.append(f"{name} = {expression}")
        self.variables[Ref(node.name, output)] = name
        return name


def line(template: str) -> Write:
    """A line from a template: {x}, {x0}, {x1} and so on, {mask}, {all} and the kind's own arguments."""

    def write(writer: Writer, node: Node, kind: Any) -> None:
        names = {name: writer.given(node, name) for name in node.inputs}
        everything = ", ".join(writer.numbered(node)) if "x0" in node.inputs else ""
        writer.assign(node, template.format(**names, all=everything, kind=kind))

    return write


def merge(module: str) -> Write:
    """Several tensors element by element; what no operator says is a function of two in `module`."""
    symbols = {"add": " + ", "multiply": " * ", "subtract": " - ", "divide": " / "}

    def write(writer: Writer, node: Node, kind: kinds.Merge) -> None:
        names = writer.numbered(node)
        if kind.mode in symbols:
            writer.assign(node, symbols[kind.mode].join(names))
        elif kind.mode == "average":
            writer.assign(node, f"({' + '.join(names)}) / {len(names)}")
        else:
            total = names[0]
            for name in names[1:]:
                total = f"{module}.{kind.mode}({total}, {name})"
            writer.assign(node, total)

    return write


def select(writer: Writer, node: Node, kind: kinds.Select) -> None:
    """One place on an axis."""
    writer.assign(node, f"{writer.given(node, 'x')}[{_on_axis(kind.axis, str(kind.index))}]")


def cut(writer: Writer, node: Node, kind: kinds.Slice) -> None:
    """Some places on an axis."""
    limits = ":".join("" if limit is None else str(limit) for limit in (kind.start, kind.stop))
    limits += f":{kind.step}" if kind.step is not None else ""
    writer.assign(node, f"{writer.given(node, 'x')}[{_on_axis(kind.axis, limits)}]")


def scale(writer: Writer, node: Node, kind: kinds.Scaled) -> None:
    """x * factor + offset, without what changes nothing."""
    x = writer.given(node, "x")
    product = x if kind.factor == 1 else f"{x} * {kind.factor!r}"
    writer.assign(node, product if kind.offset == 0 else f"{product} + {kind.offset!r}")


def plain(number: float) -> str:
    """A number as one would write it."""
    return str(int(number)) if float(number).is_integer() else repr(number)


def number(value: float) -> str:
    """A number as Python reads it, infinity among them."""
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def _on_axis(axis: int, place: str) -> str:
    """What stands in the brackets for one place on an axis, or some."""
    return ", ".join([":"] * axis + [place]) if axis >= 0 else ", ".join(["...", place] + [":"] * (-1 - axis))
