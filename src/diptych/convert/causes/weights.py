"""Mistakes with weights: gates in another order, biases lost or doubled, matrices transposed, directions mixed up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.graph import Graph, Node
from diptych.convert.kinds import Dense, Embedding, Recurrent

Values = npt.NDArray[Any]
Change = tuple[str, str, str, Callable[[Node], Node | None]]
Rewiring = tuple[str, str, str, str, Graph]
KNOWN_ORDERS = {
    "ifgo": "PyTorch and Keras", "igfo": "TF1's cells", "iofg": "ONNX", "ifog": "candidate last",
    "rzn": "PyTorch and cuDNN", "zrn": "Keras and ONNX",
}  # fmt: skip


def changes() -> Iterator[Change]:
    """Each mistake as (family, sentence, entry, what it makes of a node or None where it means nothing there)."""
    yield from _orders()
    yield from _biases()
    yield "orientation", "a square recurrent kernel is not transposed", "weight_orientation", _transposed("weight_hh")
    yield "orientation", "a square kernel is not transposed", "weight_orientation", _transposed("weight_ih")
    yield "orientation", "its square kernel is not transposed", "weight_orientation", _dense_transposed
    yield "orientation", "the kernels of input and state are in each other's place", "", _kernels_swapped
    yield "direction", "the backward direction has the forward one's weights", "", _directions(copy=True)
    yield "direction", "forward and backward weights are in each other's place", "", _directions(copy=False)
    yield "row", "its rows are one too far down", "padding_row", _rows(1)
    yield "row", "its rows are one too far up", "padding_row", _rows(-1)
    yield "padding row", "its row 0 is zero", "padding_row", _zero_row
    for name in ("float32", "float16"):
        yield "precision", f"its weights are rounded to {name}", "", _rounded(name)


def rewired(graph: Graph) -> Iterator[Rewiring]:
    """Two layers of one size that have each other's weights: (family, sentence, entry, where, the graph with it)."""
    for first, second in itertools.combinations([node for node in graph.nodes if node.weights], 2):
        if type(first.kind) is type(second.kind) and _shapes(first) == _shapes(second):
            changed = graph.with_node(replace(first, weights=second.weights))
            yield (
                "layers", f"its weights and those of {second.origin or second.name} are in each other's place", "",
                first.origin or first.name, changed.with_node(replace(second, weights=first.weights)),
            )  # fmt: skip


def _shapes(node: Node) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in node.weights.items()}


def _orders() -> Iterator[Change]:
    for gates in ("rzn", "ifgo"):
        for order in itertools.permutations(gates):
            name = "".join(order)
            if name == gates:
                continue
            known = f" (the order of {KNOWN_ORDERS[name]})" if name in KNOWN_ORDERS else ""
            sentence = f"its gates {', '.join(gates)} lie in the order {', '.join(order)}{known}"
            yield "gates", sentence, "gate_order", _reordered(gates, order, None)
            yield "gates", f"{sentence}, in the kernels only", "gate_order", _reordered(gates, order, "weight")
            yield "gates", f"{sentence}, in the biases only", "gate_order", _reordered(gates, order, "bias")


def _reordered(gates: str, order: tuple[str, ...], only: str | None) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if not isinstance(node.kind, Recurrent) or node.kind.gates != gates:
            return None
        moved = {}
        for name, value in node.weights.items():
            if name.startswith(("weight_hr", "peephole")) or (only and not name.startswith(only)):
                continue
            blocks = dict(zip(gates, np.split(value, len(gates))))
            moved[name] = np.concatenate([blocks[gate] for gate in order])
        return replace(node, weights={**node.weights, **moved}) if moved else None

    return change


def _biases() -> Iterator[Change]:
    def bias(of: Callable[[dict[str, Values], str], dict[str, Values]]) -> Callable[[Node], Node | None]:
        def change(node: Node) -> Node | None:
            if not isinstance(node.kind, Recurrent) or not any(name.startswith("bias") for name in node.weights):
                return None
            moved: dict[str, Values] = {}
            for suffix in node.kind.suffixes:
                moved |= of(dict(node.weights), suffix)
            return replace(node, weights={**node.weights, **moved}) if moved else None

        return change

    def without(name: str) -> Callable[[dict[str, Values], str], dict[str, Values]]:
        return lambda w, end: {f"{name}{end}": w[f"{name}{end}"] * 0} if f"{name}{end}" in w else {}

    def summed(w: dict[str, Values], end: str) -> dict[str, Values]:
        if f"bias_hh{end}" not in w or f"bias_ih{end}" not in w:
            return {}
        return {f"bias_ih{end}": w[f"bias_ih{end}"] + w[f"bias_hh{end}"], f"bias_hh{end}": w[f"bias_hh{end}"] * 0}

    def twice(w: dict[str, Values], end: str) -> dict[str, Values]:
        total = np.asarray(w.get(f"bias_ih{end}", 0) + w.get(f"bias_hh{end}", 0))
        return {f"bias_ih{end}": total, f"bias_hh{end}": total}

    def forget(amount: float) -> Callable[[Node], Node | None]:
        def change(node: Node) -> Node | None:
            if not isinstance(node.kind, Recurrent) or node.kind.cell != "lstm" or "bias_ih" not in node.weights:
                return None
            moved = {}
            for suffix in node.kind.suffixes:
                value = node.weights[f"bias_ih{suffix}"].copy()
                units = len(value) // 4
                value[units : 2 * units] += amount
                moved[f"bias_ih{suffix}"] = value
            return replace(node, weights={**node.weights, **moved})

        return change

    yield "biases", "the second bias (bias_hh) is missing", "two_biases", bias(without("bias_hh"))
    yield "biases", "the first bias (bias_ih) is missing", "two_biases", bias(without("bias_ih"))
    yield "biases", "its two biases are summed, which in a GRU is another function", "two_biases", bias(summed)
    yield "biases", "its bias is in both places, so it counts twice", "two_biases", bias(twice)
    yield "forget bias", "the forget bias is added twice (1 more)", "forget_gate_bias", forget(1.0)
    yield "forget bias", "the forget bias is not added (1 less)", "forget_gate_bias", forget(-1.0)


def _transposed(name: str) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if not isinstance(node.kind, Recurrent):
            return None
        moved = {}
        for suffix in node.kind.suffixes:
            value = node.weights.get(f"{name}{suffix}")
            if value is not None:
                blocks = np.split(value, len(node.kind.gates))
                if blocks[0].shape[0] == blocks[0].shape[1]:
                    moved[f"{name}{suffix}"] = np.concatenate([block.T for block in blocks])
        return replace(node, weights={**node.weights, **moved}) if moved else None

    return change


def _kernels_swapped(node: Node) -> Node | None:
    if not isinstance(node.kind, Recurrent):
        return None
    moved: dict[str, Values] = {}
    for suffix in node.kind.suffixes:
        names = f"weight_ih{suffix}", f"weight_hh{suffix}"
        if all(name in node.weights for name in names):
            first, second = (node.weights[name] for name in names)
            if first.shape != second.shape:
                return None
            moved |= {names[0]: second, names[1]: first}
    return replace(node, weights={**node.weights, **moved}) if moved else None


def _rounded(name: str) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        rounded = {key: value.astype(name).astype(value.dtype) for key, value in node.weights.items()}
        if all(np.array_equal(rounded[key], value) for key, value in node.weights.items()):
            return None
        return replace(node, weights=rounded)

    return change


def _dense_transposed(node: Node) -> Node | None:
    weight = node.weights.get("weight")
    if not isinstance(node.kind, Dense) or weight is None or weight.shape[0] != weight.shape[1]:
        return None
    return replace(node, weights={**node.weights, "weight": weight.T})


def _directions(copy: bool) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if not isinstance(node.kind, Recurrent) or node.kind.direction != "both" or not node.weights:
            return None
        forward = {name: value for name, value in node.weights.items() if not name.endswith("_reverse")}
        moved = {f"{name}_reverse": value for name, value in forward.items()}
        if not copy:
            moved |= {name: node.weights[f"{name}_reverse"] for name in forward}
        return replace(node, weights={**node.weights, **moved})

    return change


def _rows(by: int) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if not isinstance(node.kind, Embedding) or not node.weights:
            return None
        return replace(node, weights={"weight": np.roll(node.weights["weight"], by, axis=0)})

    return change


def _zero_row(node: Node) -> Node | None:
    if not isinstance(node.kind, Embedding) or not node.weights:
        return None
    weight = node.weights["weight"].copy()
    weight[0] = 0
    return replace(node, weights={"weight": weight})
