"""One step of a recurrent cell, found in a frozen graph by what its operators compute, never by its name.

From a product with [x; h] each operator is followed to the new state; one that a cell does not have at that place, or a
second reader of a value that only the cell may read, ends the search: then the operators are no cell of a known kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.graph import Node
from diptych.convert.graph import Array
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.tf1.cells import gru_weights, lstm_weights, split_kernel
from diptych.convert.tf1.evaluation import place_of
from diptych.convert.tf1.operators import ACTIVATIONS, attribute
from diptych.convert.tf1.wiring import SUMS, NoCellError, Wiring, plain
from diptych.errors import RefusalError


@dataclass(frozen=True, eq=False)
class Step:
    """A step, or all steps of a BlockLSTM.

    Attributes:
        scope: where its kernel is.
        kind: the formula.
        weights: as a graph has them.
        x: the tensor that it reads; (T, B, I) of all steps.
        before: the tensors of the state before it, by name.
        after: the tensors of the state after it; of all steps, each step's.
        whole: whether it is all steps.
    """

    scope: str
    kind: Recurrent
    weights: dict[str, Array]
    x: str
    before: dict[str, str]
    after: dict[str, str]
    whole: bool = False


def steps_of(wiring: Wiring) -> Iterator[Step]:
    """Every step of a cell in a graph."""
    for node in wiring.nodes.values():
        try:
            if node.operator == "MatMul":
                yield _from_product(wiring, node)
            elif node.operator in ("LSTMBlockCell", "BlockLSTM", "BlockLSTMV2"):
                yield _block(wiring, node)
            elif node.operator == "GRUBlockCell":
                yield _gru_block(wiring, node)
        except NoCellError:
            continue


def read_cell(frozen: FrozenGraph, scope: str) -> tuple[Recurrent, dict[str, Array]]:
    """The formula and the weights of the cell whose kernel is in a scope.

    Raises:
        RefusalError: the operators around the kernel are those of no cell that is known.
    """
    found = next((step for step in steps_of(Wiring(frozen)) if step.scope == scope), None)
    if found is None:
        raise RefusalError(
            f"{scope}: the operators around its weights are those of no cell that is known, so what it "
            f"computes is not certain"
        )
    return found.kind, found.weights


def _scope(wiring: Wiring, kernel: str) -> str:
    return wiring.name_of_constant(kernel).rpartition("/")[0].removesuffix("/gates")


def _block(wiring: Wiring, node: Node) -> Step:
    whole = node.operator != "LSTMBlockCell"
    x, c, h, kernel, *peepholes, bias = node.inputs[1:] if whole else node.inputs[:8]
    matrix = wiring.weight(kernel, 2)
    gates = "ifgo" if node.operator == "BlockLSTMV2" else "igfo"
    forget, clip = (float(attribute(node, name)) for name in ("forget_bias", "cell_clip"))
    weights = lstm_weights(matrix, wiring.weight(bias, 1), forget_bias=forget, states=matrix.shape[1] // 4, gates=gates)
    if attribute(node, "use_peephole"):
        weights |= {f"peephole_{gate}": wiring.weight(name, 1) for gate, name in zip("ifo", peepholes)}
    return Step(
        _scope(wiring, kernel), Recurrent("lstm", cell_clip=clip if clip > 0 else None), weights=weights, x=x,
        before={"h": h, "c": c}, after={"h": f"{node.name}:6", "c": f"{node.name}:1"}, whole=whole,
    )  # fmt: skip


def _gru_block(wiring: Wiring, node: Node) -> Step:
    x, h, gates, candidate, gates_bias, bias = node.inputs[:6]
    weights = gru_weights(
        wiring.weight(gates, 2),
        wiring.weight(candidate, 2),
        gates_bias=wiring.weight(gates_bias, 1),
        candidate_bias=wiring.weight(bias, 1),
    )
    kind = Recurrent("gru", reset_after=False)
    return Step(_scope(wiring, gates), kind, weights=weights, x=x, before={"h": h}, after={"h": f"{node.name}:3"})


def _from_product(wiring: Wiring, product: Node) -> Step:
    x, h, kernel, bias, summed = _biased(wiring, product)
    (reader, _), *others = wiring.all_readers(summed)
    if others:
        raise NoCellError
    if reader.operator == "Split" and reader.attributes.get("num_split") == 4:
        return _lstm(wiring, reader, x=x, h=h, kernel=kernel, bias=bias)
    splits = [node for node, _ in wiring.all_readers(reader.name) if node.operator == "Split"]
    if reader.operator == "Sigmoid" and splits:
        return _gru(wiring, reader, x=x, h=h, kernel=kernel, bias=bias)
    if reader.operator not in ACTIVATIONS:
        raise NoCellError
    matrix = wiring.weight(kernel, 2)
    kind = Recurrent("rnn", _function(reader))
    weights = split_kernel(matrix, wiring.weight(bias, 1), matrix.shape[1])
    return Step(_scope(wiring, kernel), kind, weights=weights, x=x, before={"h": h}, after={"h": reader.name})


def _biased(wiring: Wiring, product: Node) -> tuple[str, str, str, str, str]:
    """x, h, the kernel and the bias of a product with [x; h], and the tensor with the bias added."""
    joined = wiring.nodes[place_of(wiring.source(product.inputs[0]))[0]]
    transposed = attribute(product, "transpose_a") or attribute(product, "transpose_b")
    if joined.operator != "ConcatV2" or len(joined.inputs) != 3 or transposed:
        raise NoCellError
    x, h, axis = joined.inputs
    along = wiring.constant(axis)
    if along is None or int(along) not in (1, -1):
        raise NoCellError
    wiring.weight(product.inputs[1], 2)
    added = wiring.only(product.name, *SUMS)
    bias = wiring.other(added, product.name)
    wiring.weight(bias, 1)
    return plain(x), plain(h), product.inputs[1], bias, added.name


def _function(node: Node) -> Function:
    name = ACTIVATIONS[node.operator]
    return Function(name, 1.0 if name == "elu" else None)


def _gru(wiring: Wiring, sigmoid: Node, x: str, h: str, kernel: str, bias: str) -> Step:
    split = wiring.only(sigmoid.name, "Split")
    _along_columns(wiring, split, 2)
    reset = wiring.only(split.name, "Mul")
    if wiring.source(h) != wiring.other(reset, split.name):
        raise NoCellError
    joined = wiring.only(reset.name, "ConcatV2")
    product = wiring.only(joined.name, "MatMul")
    again, moved, candidate, candidate_bias, summed = _biased(wiring, product)
    if wiring.source(again) != wiring.source(x) or wiring.source(moved) != reset.name:
        raise NoCellError
    activation = wiring.only(summed, *ACTIVATIONS)
    update = f"{split.name}:1"
    readers = [node for node, _ in wiring.all_readers(update)]
    kept = next((node for node in readers if node.operator == "Mul"), None)
    rest = next((node for node in readers if node.operator == "Sub"), None)
    if len(readers) != 2 or kept is None or rest is None or wiring.other(kept, update) != wiring.source(h):
        raise NoCellError
    one = wiring.constant(rest.inputs[0])
    if one is None or one.shape != () or float(one) != 1.0:
        raise NoCellError
    new = wiring.only(rest.name, "Mul")
    if wiring.other(new, rest.name) != activation.name or wiring.only(activation.name, "Mul") != new:
        raise NoCellError
    total = wiring.only(new.name, *SUMS)
    if wiring.other(total, new.name) != kept.name or wiring.only(kept.name, *SUMS) != total:
        raise NoCellError
    weights = gru_weights(
        wiring.weight(kernel, 2),
        wiring.weight(candidate, 2),
        gates_bias=wiring.weight(bias, 1),
        candidate_bias=wiring.weight(candidate_bias, 1),
    )
    kind = Recurrent("gru", _function(activation), reset_after=False)
    return Step(_scope(wiring, kernel), kind, weights=weights, x=x, before={"h": h}, after={"h": total.name})


def _along_columns(wiring: Wiring, split: Node, parts: int) -> None:
    axis = wiring.constant(split.inputs[0])
    if axis is None or int(axis) not in (1, -1) or split.attributes.get("num_split") != parts:
        raise NoCellError


@dataclass(frozen=True)
class Gate:
    """A gate behind its sigmoid, what is added to it at run time, and its peephole at a state."""

    name: str
    bias: float
    peephole: Array | None
    looks_at: str


def _gate(wiring: Wiring, tensor: str) -> Gate:
    bias, peephole, looks_at = 0.0, None, ""
    while True:
        reader = wiring.only(tensor, "Sigmoid", *SUMS)
        if reader.operator == "Sigmoid":
            return Gate(reader.name, bias, peephole=peephole, looks_at=looks_at)
        other = wiring.other(reader, tensor)
        value, product = wiring.constant(other), wiring.nodes[place_of(other)[0]]
        if value is not None and value.shape == ():
            bias += float(value)
        elif product.operator == "Mul" and peephole is None:
            weights = [wiring.constant(name) for name in product.inputs]
            place = 0 if weights[0] is not None else 1
            peephole = wiring.weight(product.inputs[place], 1)
            looks_at = wiring.source(product.inputs[1 - place])
        else:
            raise NoCellError
        tensor = reader.name


def _lstm(wiring: Wiring, split: Node, x: str, h: str, kernel: str, bias: str) -> Step:
    _along_columns(wiring, split, 4)
    i, f, o = (_gate(wiring, f"{split.name}:{place}" if place else split.name) for place in (0, 2, 3))
    activation = wiring.only(f"{split.name}:1", *ACTIVATIONS)
    given = wiring.only(i.name, "Mul")
    kept = wiring.only(f.name, "Mul")
    total = wiring.only(given.name, *SUMS)
    if wiring.other(given, i.name) != activation.name or wiring.only(activation.name, "Mul") != given:
        raise NoCellError
    if wiring.only(kept.name, *SUMS) != total or i.bias or o.bias:
        raise NoCellError
    c = wiring.other(kept, f.name)
    clip, new_c = _clipped(wiring, total.name)
    out = wiring.only(o.name, "Mul")
    squashed = wiring.nodes[place_of(wiring.other(out, o.name))[0]]
    if squashed.operator != activation.operator or wiring.source(squashed.inputs[0]) != new_c:
        raise NoCellError
    if any(gate.looks_at not in ("", state) for gate, state in ((i, c), (f, c), (o, new_c))):
        raise NoCellError
    matrix = wiring.weight(kernel, 2)
    units, new_h, projection, limit = matrix.shape[1] // 4, out.name, None, None
    for reader, _ in wiring.all_readers(out.name):
        if reader.operator == "MatMul" and wiring.constant(reader.inputs[1]) is not None:
            name = wiring.name_of_constant(reader.inputs[1])
            if name == f"{_scope(wiring, kernel)}/projection/kernel":
                projection = wiring.weight(reader.inputs[1], 2)
                limit, new_h = _clipped(wiring, reader.name)
    states = units if projection is None else projection.shape[1]
    weights = lstm_weights(matrix, wiring.weight(bias, 1), forget_bias=f.bias, states=states)
    for letter, gate in zip("ifo", (i, f, o)):
        weights |= {f"peephole_{letter}": gate.peephole} if gate.peephole is not None else {}
    weights |= {"weight_hr": projection.T} if projection is not None else {}
    kind = Recurrent("lstm", _function(activation), cell_clip=clip, projection_clip=limit)
    return Step(
        _scope(wiring, kernel), kind, weights=weights, x=x, before={"h": h, "c": c}, after={"h": new_h, "c": new_c}
    )


def _clipped(wiring: Wiring, tensor: str) -> tuple[float | None, str]:
    """The limit within which a tensor is kept, and the tensor so kept."""
    readers = [node for node, _ in wiring.all_readers(tensor)]
    if len(readers) != 1 or readers[0].operator != "Minimum":
        return None, tensor
    highest: Any = wiring.constant(wiring.other(readers[0], tensor))
    above = wiring.only(readers[0].name, "Maximum")
    lowest: Any = wiring.constant(wiring.other(above, readers[0].name))
    if highest is None or lowest is None or np.size(highest) != 1 or float(highest) != -float(lowest):
        raise NoCellError
    return float(highest), above.name
